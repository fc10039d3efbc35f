import type { RuleDefinition } from '#lib/domain';
import { MissingRow } from '../errors.js';
import { statement, type Sql } from '../sql.js';

interface RuleVersionKey {
  readonly id: string;
  readonly version: number;
}

const maxRemembered = 5_000;

/** Definitions of rule versions; they never change, so each is read once. */
export class RuleVersions {
  private readonly remembered = new Map<string, RuleDefinition>();

  constructor(private readonly sql: Sql) {}

  /** Throws `MissingRow` (from `of`) for a version that does not exist. */
  async definitions(keys: readonly RuleVersionKey[]): Promise<{ of(key: RuleVersionKey): RuleDefinition }> {
    const found = new Map<string, RuleDefinition>();
    const missing = new Map<string, RuleVersionKey>();
    for (const key of keys) {
      const known = this.remembered.get(nameOf(key));
      if (known === undefined) missing.set(nameOf(key), key);
      else found.set(nameOf(key), known);
    }
    for (const row of await this.read([...missing.values()])) {
      found.set(nameOf(row), row.definition);
      this.remember(nameOf(row), row.definition);
    }
    return {
      of(key) {
        const definition = found.get(nameOf(key));
        if (definition === undefined) throw new MissingRow(`Rule ${key.id} has no version ${key.version}.`);
        return definition;
      },
    };
  }

  private async read(keys: readonly RuleVersionKey[]): Promise<(RuleVersionKey & { definition: RuleDefinition })[]> {
    if (keys.length === 0) return [];
    return this.sql.rows(selectDefinitions, [keys.map(({ id }) => id), keys.map(({ version }) => version)]);
  }

  private remember(name: string, definition: RuleDefinition): void {
    if (this.remembered.size >= maxRemembered) this.remembered.clear();
    this.remembered.set(name, definition);
  }
}

const nameOf = ({ id, version }: RuleVersionKey) => `${id}:${version}`;

const selectDefinitions = statement(
  'select_rule_definitions',
  /* sql */ `
  select v.rule_id as id, v.version, v.definition
  from unnest($1::uuid[], $2::integer[]) as asked (rule_id, version)
  join rule_versions v using (rule_id, version)`,
);
