/** Takes what an operator may want to know; holds no secret. */
export type CibaLog = (level: 'info' | 'warn' | 'error', message: string, detail?: object) => void;
