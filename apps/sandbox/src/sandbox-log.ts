/** Where the sandbox says what happens; it writes nowhere else. */
export type SandboxLog = (level: 'info' | 'warn' | 'error', message: string, detail?: object) => void;
