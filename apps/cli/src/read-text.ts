import { readFile } from 'node:fs/promises';
import { CommandProblem, printable } from './terminal.js';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'you may not read it',
};

/** Says in words why a file could not be read, for the person who named it. */
export function unreadable(path: string, { code = 'unknown' }: NodeJS.ErrnoException): CommandProblem {
  return new CommandProblem(`${printable(path)} cannot be read: ${reasons[code] ?? code}.`);
}

/** @throws CommandProblem saying why the file cannot be read */
export async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error);
  });
}
