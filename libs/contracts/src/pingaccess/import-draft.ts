import type { ConfiguredKind } from '#lib/domain';
import type { z } from 'zod';
import type { PingAccessImportItem } from './import.http.js';

/** What is said of one object of an export while it is looked at. */
export class Draft<Body> {
  private readonly notes: string[] = [];
  private readonly needs: { key: string; what: string }[] = [];
  private skipped = false;
  private failed = false;
  /** What is to be made; null until it is complete. */
  body: Body | null = null;

  constructor(
    readonly kind: ConfiguredKind,
    /** By what others refer to it. */
    readonly name: string,
    /** Where in the export it stands. */
    readonly source: string,
    /** Something of this name is there already, and is what others mean. */
    private readonly exists: boolean,
  ) {}

  note(text: string): void {
    this.notes.push(text);
  }

  /** It is not for Assent. */
  skip(why: string): void {
    this.skipped = true;
    this.note(why);
  }

  /** Something that somebody has to give. */
  need(key: string, what: string): void {
    this.needs.push({ key, what });
  }

  /** It cannot be made, and no single input mends that. */
  fail(why: string): void {
    this.failed = true;
    this.body = null;
    this.note(why);
  }

  /** Takes the body if it is one; else tells why it is none. */
  complete(schema: z.ZodType<Body>, body: unknown): void {
    if (this.needs.length > 0 || this.failed || this.skipped) return;
    const checked = schema.safeParse(body);
    if (checked.success) this.body = body as Body;
    else for (const { path, message } of checked.error.issues) this.fail(`${path.map(String).join('.')}: ${message}`);
  }

  /** Whether something of this name will be there. */
  get usable(): boolean {
    return this.exists || (this.body !== null && !this.skipped);
  }

  get toCreate(): Body | null {
    return this.exists || this.skipped ? null : this.body;
  }

  get outcome(): PingAccessImportItem['outcome'] {
    if (this.exists) return 'exists';
    if (this.skipped) return 'skip';
    return this.body === null ? 'needs-input' : 'create';
  }

  item(): PingAccessImportItem {
    const { kind, name, source, outcome, notes } = this;
    const needs = outcome === 'needs-input' ? [...this.needs] : [];
    return { source, kind, name, outcome, notes: outcome === 'exists' ? [] : [...notes], needs };
  }
}
