import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** One stored value; `expiresAt` is in seconds since the epoch, null means never. */
export interface Row {
  readonly model: string;
  readonly id: string;
  readonly value: object;
  readonly expiresAt: number | null;
}

type JournalLine = Row | { readonly model: string; readonly id: string; readonly value: null };

const KEEP_EXPIRED_SECONDS = 24 * 3600;
const REWRITE_AFTER_LINES = 20_000;

/**
 * Everything the sandbox remembers: unbounded, expired rows included, so that a late poll truthfully gets
 * `expired_token`. With a file, a resolved write survives the death of the process.
 *
 * The file is a journal, one JSON line per change; it is rewritten, atomically, at every start and whenever it has
 * grown far beyond the rows it describes. Rows that expired more than a day ago are left out of the rewrite.
 */
export class RowStore {
  readonly #rows = new Map<string, Map<string, Row>>();
  readonly #path: string | null;
  #journal: FileHandle | null = null;
  #journalLines = 0;
  #unwritten: JournalLine[] = [];
  #writing: Promise<void> | null = null;

  private constructor(path: string | null) {
    this.#path = path;
  }

  /** Opens the store, with the rows that the file holds; without a path it lives in memory only. */
  static async open(path: string | null): Promise<RowStore> {
    const store = new RowStore(path);
    if (path === null) return store;
    await mkdir(dirname(path), { recursive: true });
    for (const line of await readJournal(path)) store.#remember(line);
    await store.#rewrite();
    return store;
  }

  get(model: string, id: string): Row | undefined {
    return this.#rows.get(model)?.get(id);
  }

  all(model: string): Iterable<Row> {
    return this.#rows.get(model)?.values() ?? [];
  }

  /** Visible to readers at once; resolves when the row is in the file. */
  set(row: Row): Promise<void> {
    return this.#change(row);
  }

  /** Gone for readers at once; resolves when the file says so. */
  delete(model: string, id: string): Promise<void> {
    return this.get(model, id) ? this.#change({ model, id, value: null }) : Promise.resolve();
  }

  async close(): Promise<void> {
    await this.#writing?.catch(() => undefined);
    await this.#journal?.close();
    this.#journal = null;
  }

  #change(line: JournalLine): Promise<void> {
    this.#remember(line);
    if (this.#path === null) return Promise.resolve();
    this.#unwritten.push(line);
    // Changes that come while a write is under way share the next one.
    const previous = this.#writing ?? Promise.resolve();
    const writing = previous.catch(() => undefined).then(() => this.#write());
    this.#writing = writing;
    return writing;
  }

  #remember(line: JournalLine): void {
    if (line.value === null) {
      this.#rows.get(line.model)?.delete(line.id);
      return;
    }
    const rows = this.#rows.get(line.model) ?? new Map<string, Row>();
    this.#rows.set(line.model, rows.set(line.id, line));
  }

  async #write(): Promise<void> {
    if (this.#unwritten.length === 0 || this.#journal === null) return;
    const lines = this.#unwritten;
    this.#unwritten = [];
    await this.#journal.appendFile(toText(lines));
    this.#journalLines += lines.length;
    if (this.#journalLines > REWRITE_AFTER_LINES && this.#journalLines > 4 * this.#liveRows().length) {
      await this.#rewrite();
    }
  }

  async #rewrite(): Promise<void> {
    if (this.#path === null) return;
    const rows = this.#liveRows();
    await writeFileAtomically(this.#path, toText(rows));
    await this.#journal?.close();
    this.#journal = await open(this.#path, 'a', 0o600);
    this.#journalLines = rows.length;
  }

  #liveRows(): Row[] {
    const oldest = Date.now() / 1000 - KEEP_EXPIRED_SECONDS;
    return [...this.#rows.values()]
      .flatMap((rows) => [...rows.values()])
      .filter(({ expiresAt }) => expiresAt === null || expiresAt > oldest);
  }
}

/** Readers of `path` see the old content or the new, never a part; only the owner may read it. */
export async function writeFileAtomically(path: string, content: string): Promise<void> {
  const draft = `${path}.draft`;
  const file = openSync(draft, 'w', 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  await rename(draft, path);
}

async function readJournal(path: string): Promise<JournalLine[]> {
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new Error(`The sandbox cannot read its state in ${path}`, { cause: error });
  });
  // A process killed while it wrote leaves an unfinished last line: nobody was promised that change.
  const complete = content.slice(0, content.lastIndexOf('\n') + 1);
  return complete
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalLine);
}

function toText(lines: readonly JournalLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
