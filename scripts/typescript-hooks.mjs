/** Loader hooks: lets a script import our TypeScript sources without a build. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

const options = {
  swcrc: false,
  sourceMaps: 'inline',
  module: { type: 'es6' },
  jsc: {
    target: 'es2022',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
  },
};

export async function resolve(specifier, context, next) {
  const ours = context.parentURL?.startsWith('file:') && !context.parentURL.includes('/node_modules/');
  if (!ours) return next(specifier, context);
  // `#lib/*` and `#app/*` are the sources under this condition.
  const conditions = [...context.conditions, 'assent-src'];
  if (/^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL.endsWith('.ts')) {
    return next(`${specifier.slice(0, -3)}.ts`, { ...context, conditions });
  }
  return next(specifier, { ...context, conditions });
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  const { code } = await transform(await readFile(filename, 'utf8'), { ...options, filename });
  return { format: 'module', source: code, shortCircuit: true };
}
