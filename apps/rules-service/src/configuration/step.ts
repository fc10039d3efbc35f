import type { ConfigurationResult } from '#lib/contracts';
import type { Change, ConfigurationStep, ConfiguredKind } from '#lib/domain';
import type { Acting, AdminRow, CreateResult, Database, DeleteResult, UpdateResult } from '#lib/persistence';
import { ProblemError, type OutboundGuard } from '#lib/runtime';
import { invalidMember } from '../http/invalid-member.js';
import type { Names } from './names.js';

export type MadeSecret = ConfigurationResult['secrets'][number];

/** What steps of one transaction work with. */
export interface Work {
  readonly acting: Acting;
  /** Grows with every object that is made. */
  readonly names: Names;
  /** Keys and secrets that were made, to be shown once. */
  readonly secrets: MadeSecret[];
}

/** What is to be done about one object. */
export interface PlannedChange {
  /** Empty: nothing is to be done. */
  readonly changes: readonly Change[];
  /** Does it; answers the id of the object. */
  readonly run: (work: Work) => Promise<string>;
}

/** One step of a plan. */
export interface Step extends ConfigurationStep, PlannedChange {
  readonly name: string;
  /** Where in the configuration it stands, as a JSON pointer; null: nowhere, which is why it goes. */
  readonly pointer: string | null;
}

/** What a plan is made with. */
export interface Planning {
  readonly database: Database;
  readonly guard: OutboundGuard;
  readonly now: Date;
  /** Of what is there. */
  readonly names: Names;
  /** Whether an object of this name will be there, whether it is yet or not. */
  readonly willBe: (kind: ConfiguredKind, name: string) => boolean;
}

/** Somebody else changed what the plan was made for: it has to be made again. */
export class Moved extends Error {
  override readonly name = 'Moved';
}

/** Of a secret it is told that it differs, never what it is. */
export const secretChange = (pointer: string, had: boolean): Change => ({
  pointer,
  before: had ? '(secret)' : null,
  after: '(secret)',
});

/** The JSON of a value: what is undefined is not there. */
export const asJson = (value: object): unknown => JSON.parse(JSON.stringify(value));

/**
 * The row that a change led to.
 *
 * @throws Moved, ProblemError
 */
export function settled<Row extends AdminRow>(result: CreateResult<Row> | UpdateResult<Row>, noun: string): Row {
  switch (result.kind) {
    case 'created':
    case 'updated':
      return result.row;
    case 'predefined':
      throw new ProblemError('predefined', `This ${noun} is predefined. Make one of your own and refer to that.`);
    case 'name-taken':
      if (result.member === undefined) throw new Moved();
      throw invalidMember(`/${result.member}`, `Another ${noun} has this ${result.member}.`, 'name_taken');
    case 'version-mismatch':
    case 'not-found':
    case 'unknown-reference':
      throw new Moved();
  }
}

/** @throws Moved, ProblemError `in_use` */
export function gone<Row>(result: DeleteResult<Row>, noun: string, name: string): void {
  if (result.kind === 'deleted') return;
  if (result.kind !== 'in-use') throw new Moved();
  const users = result.users.map((user) => `${user.kind} "${user.name}"`).join(', ');
  throw new ProblemError('in_use', `The ${noun} "${name}" is used by ${users || 'others'}: it cannot go.`, {
    users: [...result.users],
  });
}

/** @throws ProblemError `unknown_reference` unless there will be such an object */
export function refuseUnknown({ willBe }: Planning, kind: ConfiguredKind, name: string | null, pointer: string): void {
  if (name === null || willBe(kind, name)) return;
  const noun = kind.replace('-', ' ');
  throw invalidMember(pointer, `There is no ${noun} "${name}", here or in the configuration.`, 'unknown_reference');
}

/** The id of an object that there is by now. */
export function idOf({ names }: Work, kind: ConfiguredKind, name: string): string {
  const id = names.idOf(kind, name);
  if (id === undefined) throw new Moved();
  return id;
}
