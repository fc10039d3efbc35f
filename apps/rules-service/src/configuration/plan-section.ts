import { configurationSections, type ConfigurationSection } from '#lib/contracts';
import { repeatedNames } from '#lib/domain';
import type { Acting, AdminRow, DeleteResult } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { invalidMember } from '../http/invalid-member.js';
import { refuseReferences } from './refuse-references.js';
import { gone, type PlannedChange, type Step } from './step.js';

/** One section of a configuration, and what there is of its kind. */
export interface Section<Body extends object, Row extends AdminRow> {
  readonly section: ConfigurationSection;
  /** Undefined: the configuration does not speak of this kind. */
  readonly bodies: readonly Body[] | undefined;
  readonly rows: readonly Row[];
  readonly nameOf: (body: Body) => string;
  /** Null: it has none. */
  readonly nameOfRow: (row: Row) => string | null;
  /** Among rows that nobody names: the one that is meant all the same. */
  readonly otherwise?: (body: Body, rows: readonly Row[]) => Row | undefined;
  readonly plan: (body: Body, row: Row | null) => PlannedChange | Promise<PlannedChange>;
  readonly store: { delete(id: string, expectedVersion: number, acting: Acting): Promise<DeleteResult<Row>> };
  /** How a row without a name is spoken of. */
  readonly called?: (row: Row) => string;
  /** Whether a row goes that the configuration does not name; throws a `ProblemError` where that must not be. */
  readonly mayGo?: (row: Row) => boolean;
}

/** What a section demands. */
export interface SectionPlan {
  readonly steps: readonly Step[];
  readonly unchanged: number;
  readonly problems: readonly ProblemError[];
}

/** Compares one section with what there is; with `prune`, what it does not name goes. */
export async function planSection<Body extends object, Row extends AdminRow>(
  one: Section<Body, Row>,
  prune: boolean,
): Promise<SectionPlan> {
  const { section, bodies = [], rows } = one;
  const { kind } = configurationSections[section];
  const problems = repetitions(one);
  const steps: Step[] = [];
  const named = new Set<Row>();
  let unchanged = 0;
  for (const [index, body] of bodies.entries()) {
    const pointer = `/configuration/${section}/${index}`;
    try {
      refuseReferences(body);
      const row = rowFor(one, body, named);
      if (row !== null) named.add(row);
      const planned = await one.plan(body, row);
      if (planned.changes.length === 0) unchanged++;
      else
        steps.push({ kind, name: one.nameOf(body), action: row === null ? 'create' : 'update', pointer, ...planned });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      problems.push(at(pointer, error));
    }
  }
  if (prune && one.bodies !== undefined) {
    const { mayGo = () => true } = one;
    steps.push(...rows.filter((row) => !named.has(row) && mayGo(row)).map((row) => removal(one, row)));
  }
  return { steps, unchanged, problems };
}

function rowFor<Body extends object, Row extends AdminRow>(
  { rows, nameOf, nameOfRow, otherwise }: Section<Body, Row>,
  body: Body,
  named: ReadonlySet<Row>,
): Row | null {
  const found = rows.find((row) => nameOfRow(row) === nameOf(body));
  if (found !== undefined) return found;
  return (
    otherwise?.(
      body,
      rows.filter((row) => nameOfRow(row) === null && !named.has(row)),
    ) ?? null
  );
}

function removal<Body extends object, Row extends AdminRow>(one: Section<Body, Row>, row: Row): Step {
  const { kind, noun } = configurationSections[one.section];
  const name = one.nameOfRow(row) ?? one.called?.(row) ?? row.id;
  return {
    ...{ kind, name, action: 'delete', pointer: null, changes: [] },
    run: async ({ acting }) => {
      gone(await one.store.delete(row.id, row.version, acting), noun, name);
      return row.id;
    },
  };
}

function repetitions<Body extends object, Row extends AdminRow>({ section, bodies = [], nameOf }: Section<Body, Row>) {
  const { noun, nameMember } = configurationSections[section];
  return repeatedNames(bodies.map(nameOf)).map(({ index }) => {
    const detail = `Another ${noun} of this configuration has this ${nameMember}.`;
    return at(`/configuration/${section}/${index}`, invalidMember(`/${nameMember}`, detail, 'name_taken'));
  });
}

/** The same problem, told by its place in the whole body. */
export function at(pointer: string, { code, detail, extras }: ProblemError): ProblemError {
  const errors = extras.errors ?? [{ pointer: '', code, detail }];
  return new ProblemError(code, detail, {
    ...extras,
    errors: errors.map((error) => ({ ...error, pointer: `${pointer}${error.pointer}` })),
  });
}
