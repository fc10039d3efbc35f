import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** What can open a connection, ask the network for a name, or send something: as imported values, or as the global. */
const waysOut: readonly (readonly [module: string, names: RegExp])[] = [
  ['undici', /\b(Agent|Pool|Client|request|fetch|stream|pipeline|buildConnector)\b/],
  ['node:https?', /\b(request|get|Agent)\b/],
  ['node:(net|tls)', /\b(connect|createConnection|Socket)\b/],
  ['node:dns(/promises)?', /./],
  ['openid-client|oauth4webapi', /\b(discovery|\w*[gG]rant\w*|fetch\w+|\w+Request)\b/],
  ['pg', /./],
  ['typeorm', /\bDataSource\b/],
  ['amqplib', /\bconnect\b/],
];
const globalFetch = /(?<![.#\w])fetch\(/;
const noCall = /^\s*(\*|\/\/|\/\*)|\b(private|async|function)\b.*\bfetch\(/;

function goesOut(text: string): boolean {
  const imports = [...text.matchAll(/^import (?!type\b)([^;]+?) from '([^']+)';/gms)];
  const imported = imports.some(([, what, from]) => {
    const values = what!.replace(/\btype [\w]+( as \w+)?/g, '');
    return waysOut.some(([module, names]) => new RegExp(`^(${module})$`).test(from!) && names.test(values));
  });
  return imported || text.split('\n').some((line) => globalFetch.test(line) && !noCall.test(line));
}

it('has a deadline on record for everything that goes out', () => {
  const sources = ['apps', 'libs']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
    )
    .filter((path) => path.endsWith('.ts') && !/spec\.ts$|\.contract\.ts$|^apps\/(sandbox|console)\//.test(path));
  const table = /<!-- deadlines -->([\s\S]*?)<!-- end -->/.exec(read('docs/operations.md'))![1]!;
  const onRecord = [...table.matchAll(/`((?:apps|libs)\/[^`]+\.ts)`/g)].map((match) => match[1]!);
  // A new way out needs a deadline, and a line in docs/operations.md that says which.
  expect(sources.filter((path) => goesOut(read(path))).sort()).toEqual([...new Set(onRecord)].sort());
});

it.each([
  [`import { request } from 'undici';`, true],
  [`import type { Pool } from 'undici';`, false],
  [`import { lookup as ask } from 'node:dns';`, true],
  [`import { createServer } from 'node:net';`, false],
  [`import { DataSource, type DataSourceOptions } from 'typeorm';`, true],
  [`import { In, type DataSource } from 'typeorm';`, false],
  [`import {\n  connect,\n  type Channel,\n} from 'amqplib';`, true],
  [`const answer = await fetch(url);`, true],
  [`  private fetch(entry: Entry): Promise<void> {`, false],
  [`    return this.fetch(entry);`, false],
])('sees whether %s goes out', (text, expected) => {
  expect(goesOut(text)).toBe(expected);
});
