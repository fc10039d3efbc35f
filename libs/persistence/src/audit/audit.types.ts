import type { AuditEvent, AuditEventsQuery, AuditHead, Page, PageQuery } from '#lib/contracts';
import type { Change } from '#lib/domain';
import type { Acting } from './acting.js';

/** What is written down about one act. */
export interface AuditEntry {
  /** `<resource type>.<past participle>` */
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string | null; readonly name: string | null };
  readonly changes?: readonly Change[] | null;
  readonly detail?: Readonly<Record<string, unknown>> | null;
  /** What names a person; erased with them, or when its time is over. */
  readonly personal?: Readonly<Record<string, unknown>> | null;
}

/** What one round of sealing did. */
export interface Sealing {
  readonly events: number;
  /** The newest head that was made; null when there was nothing to seal, or somebody else is sealing. */
  readonly head: AuditHead | null;
}

/** The record of administration and of decisions. */
export interface AuditStore {
  /** Writes down something that has no row of its own to be written with. */
  record(acting: Acting, entry: AuditEntry): Promise<void>;
  /** Newest first; with `afterSequence` in the order of the chain. Throws `InvalidCursor`. */
  list(query: AuditEventsQuery): Promise<Page<AuditEvent>>;
  /** Oldest first. Throws `InvalidCursor`. */
  heads(query: PageQuery): Promise<Page<AuditHead>>;
  /** Seals what has been written since, in portions, one process at a time; the signal ends it after a portion. */
  seal(signal?: AbortSignal): Promise<Sealing>;
}
