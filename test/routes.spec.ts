import 'reflect-metadata';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { consoleRoutes, routes } from '#lib/contracts';
import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { accessMatrix } from './support/access-matrix.js';

/** What every process serves by itself, beside its controllers (`libs/runtime/src/start-service.ts`). */
const ofEveryProcess = ['GET /health/live', 'GET /health/ready', 'GET /metrics'];

it('serves every route of the contract, and no other', async () => {
  const served = (await controllersOf('apps/rules-service/src')).flatMap(routesOf);
  const promised = [...routes, ...consoleRoutes].map(({ method, path }) => `${method} ${path}`);
  expect([...served, ...ofEveryProcess].sort()).toEqual([...promised].sort());
});

it('has a row in the matrix of access for every route, and the scope that stands there (I23)', () => {
  const promised = [...routes, ...consoleRoutes].map(({ operationId, scope }) => [operationId, scope]);
  const rows = Object.entries(accessMatrix).map(([operationId, [scope]]) => [operationId, scope]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(promised));
});

const mutations = routes.filter(({ method }) => method !== 'GET');

it('says of every mutation what a repeated call does, or takes an Idempotency-Key', () => {
  const silent = mutations
    .filter(({ method, requestHeaders, repeated }) => {
      // A second PUT, PATCH (RFC 7396) or DELETE changes nothing more; If-Match tells who was first.
      if (method !== 'POST') return requestHeaders?.includes('If-Match') !== true;
      return requestHeaders?.includes('Idempotency-Key') !== true && repeated === undefined;
    })
    .map(({ operationId }) => operationId);
  // Neither has a version: a second one finds nothing.
  expect(silent.sort()).toEqual(['dropDeadLetter', 'forgetMasterKey']);
});

it('pages every list, or says why there is no next page', () => {
  const lists = routes.filter(({ answers }) =>
    answers.some(
      ({ schema }) => schema instanceof z.ZodObject && 'nextCursor' in schema.shape && 'data' in schema.shape,
    ),
  );
  expect(lists.length).toBeGreaterThan(6);
  const unpaged = lists.filter(
    ({ query }) => query === undefined || !('cursor' in query.shape && 'limit' in query.shape),
  );
  expect(unpaged.map(({ operationId }) => operationId)).toEqual(['listDeadLetters']);
  expect(unpaged[0]!.answers[0]!.description).toContain('no next page');
  for (const { operationId, answers } of lists) {
    const headers = answers.find(({ status }) => status === 200)!.headers ?? [];
    expect({ operationId, link: headers.includes('Link') }).toEqual({
      operationId,
      link: operationId !== 'listDeadLetters',
    });
  }
});

async function controllersOf(folder: string): Promise<Type[]> {
  const root = join(import.meta.dirname, '..', folder);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.controller.ts'),
  );
  const modules: Array<Record<string, unknown>> = [];
  // One after the other: jest loses its way when modules that share others are loaded together.
  for (const file of files) modules.push((await import(join(root, file))) as Record<string, unknown>);
  return modules
    .flatMap((module) => Object.values(module))
    .filter((value): value is Type => typeof value === 'function' && Reflect.hasMetadata(PATH_METADATA, value));
}

function routesOf(controller: Type): string[] {
  const prototype = controller.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    if (typeof handler !== 'function' || !Reflect.hasMetadata(METHOD_METADATA, handler)) return [];
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
    const parts = [controller, handler].map((part) => String(Reflect.getMetadata(PATH_METADATA, part)));
    const path = parts.flatMap((part) => part.split('/')).filter((segment) => segment !== '');
    return [
      `${method} /${path
        .join('/')
        .replace(/:(\w+)/g, '{$1}')
        .replace(/\*$/, '{path}')}`,
    ];
  });
}
