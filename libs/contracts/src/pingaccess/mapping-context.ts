import type { ConfiguredKind } from '#lib/domain';

/** What a mapping goes by beside the export. */
export interface MappingContext {
  /** What the export does not tell, by the keys of what items need. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The class of one-time-authorization rules; null: by their shape. */
  readonly ruleClass: string | null;
  /** Whether something of this name is there already. */
  readonly exists: (kind: ConfiguredKind, name: string) => boolean;
}
