import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { migrations } from './index.js';

/** Until then the tables were empty: nothing had been released. */
const firstReleased = 1_764_425_000_000;

const files = readdirSync(import.meta.dirname).filter((file) => /^\d{13}-.*\.ts$/.test(file));
const textOf = (file: string): string => readFileSync(join(import.meta.dirname, file), 'utf8');

it('lists every migration, each once, in the order of their times', () => {
  const times = migrations.map(({ name }) => Number(name.slice(-13)));
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(files.map((file) => Number(file.slice(0, 13))).sort((a, b) => a - b)).toEqual(times);
});

/** Indexes that a migration builds on tables that were there before it, without `concurrently`. */
const blocking = (text: string): string[] => {
  const own = [...text.matchAll(/create table (\w+)/gi)].map(([, table]) => table!.toLowerCase());
  return [...text.matchAll(/create (?:unique )?index (?!concurrently)[\w$ {}]*?\bon (\w+)/gi)]
    .map(([, table]) => table!.toLowerCase())
    .filter((table) => !own.includes(table));
};

it('sees an index that would stop writers', () => {
  expect(blocking('create table a (b int); create index a__b_ix on a (b);')).toEqual([]);
  expect(blocking('create unique index a__b_key on a (b);')).toEqual(['a']);
  expect(blocking('create index concurrently a__b_ix on a (b);')).toEqual([]);
});

it.each(files.filter((file) => Number(file.slice(0, 13)) > firstReleased))(
  '%s stops no writer to build an index',
  (file) => {
    expect(blocking(textOf(file))).toEqual([]);
  },
);
