import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A file of JSON lines that is only ever appended to; a line is with the kernel when `write` returns. */
export class Ledger {
  readonly #file: number;

  constructor(folder: string, name: string) {
    this.#file = openSync(join(folder, name), 'a');
  }

  write(line: Readonly<Record<string, unknown>>): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}
