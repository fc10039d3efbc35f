/** How much a line matters. */
export type LogLevel = 'info' | 'warn' | 'error';
/** Receives one line per thing worth knowing; never an event's data. */
export type Log = (level: LogLevel, message: string, detail?: object) => void;
