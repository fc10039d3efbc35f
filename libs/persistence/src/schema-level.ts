import { migrations } from './migrations/index.js';

/** A migration's place in the order: the number that its name ends with. */
export const levelOf = (name: string): number => Number(/(\d{13})$/.exec(name)?.[1] ?? Number.NaN);

/** The names of the migrations that this version needs. */
export const neededMigrations: readonly string[] = migrations.map(({ name }) => name);

/** The newest migration that this version knows: how far its code has followed the schema. */
export const codeLevel: number = Math.max(...neededMigrations.map(levelOf));
