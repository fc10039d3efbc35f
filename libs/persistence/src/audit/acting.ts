import type { AuditActorType } from '#lib/contracts';
import type { EntityManager } from 'typeorm';
import { inTransaction, type StoreContext } from '../store-context.js';
import type { AdminTransaction } from './admin-transaction.js';

/** On whose behalf something is changed, by which call, and in which transaction. */
export interface Acting {
  readonly actor: {
    readonly type: AuditActorType;
    readonly id: string | null;
    /** What it is called; of an API client the name that it has, unless given. */
    readonly name?: string | null;
  };
  readonly requestId: string | null;
  /** The transaction that the change is part of; one of its own unless given. */
  readonly within?: AdminTransaction;
}

/** Nobody in particular: the installation itself. */
export const system: Acting = { actor: { type: 'system', id: null }, requestId: null };

/**
 * Works in the transaction that was given, or in one of its own. In a given one nothing is repeated here, and after a
 * failure nothing more can be done in it.
 */
export const within = <Result>(
  context: Pick<StoreContext, 'dataSource'>,
  { within: given }: Acting,
  work: (manager: EntityManager) => Promise<Result>,
): Promise<Result> => (given === undefined ? inTransaction(context, work) : work(given.manager));
