import type { EntityManager } from 'typeorm';

/** One transaction that several changes of administered objects share: all of them happen, or none. */
export class AdminTransaction {
  constructor(readonly manager: EntityManager) {}
}
