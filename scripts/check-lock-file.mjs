/** Fails when package-lock.json lacks an optional package that another one names: `npm ci` would refuse it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './install.mjs';

const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const places = Object.keys(packages);
const missing = places.flatMap((place) =>
  Object.keys(packages[place].optionalDependencies ?? {})
    .filter((name) => !places.some((other) => other.endsWith(`node_modules/${name}`)))
    .map((name) => `${place} → ${name}`),
);
const hosts = places.filter((place) => packages[place].resolved !== undefined && !packages[place].link);
if (missing.length > 0) console.error(`package-lock.json lacks:\n${missing.join('\n')}`);
if (hosts.length > 0) console.error(`package-lock.json names a host for:\n${hosts.join('\n')}`);
if (missing.length + hosts.length > 0) process.exitCode = 1;
