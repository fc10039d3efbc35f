import type { ClientLine } from './history-lines.js';

/** A call of a client from its beginning to its end. */
export interface Call {
  readonly sent: ClientLine;
  /** Null when its answer was lost, or the run ended before. */
  readonly answered: ClientLine | null;
}

/** The request that a call was about, or that its answer names. */
export function requestIdOf({ sent, answered }: Call): string | null {
  return sent.requestId ?? answered?.requestId ?? textMember(answered?.answer, 'id');
}

/** A member of an answer, when it is a text. */
export function textMember(answer: unknown, name: string): string | null {
  const value = member(answer, name);
  return typeof value === 'string' ? value : null;
}

/** A member of an answer. */
export function member(answer: unknown, name: string): unknown {
  if (typeof answer !== 'object' || answer === null) return undefined;
  return (answer as Readonly<Record<string, unknown>>)[name];
}

/** True for an answer of the 200s. */
export const succeeded = ({ answered }: Call): boolean =>
  answered?.status !== undefined && answered.status >= 200 && answered.status < 300;

/** Joins what was sent with what was answered. */
export function callsOf(lines: readonly ClientLine[]): Call[] {
  const ends = new Map(lines.filter(({ kind }) => kind === 'answered').map((line) => [line.callId, line]));
  return lines.filter(({ kind }) => kind === 'sent').map((sent) => ({ sent, answered: ends.get(sent.callId) ?? null }));
}
