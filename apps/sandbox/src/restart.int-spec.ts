import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeConsecutivePorts } from '../../../test/support/rabbitmq-ports.js';
import { CIBA_GRANT_TYPE, sandboxClients } from './clients.js';
import { startSandbox, type Sandbox } from './sandbox.module.js';

type Json = Record<string, unknown>;

const hooks = new URL('../../../scripts/typescript-hooks.mjs', import.meta.url).href;
const withHooks = `data:text/javascript,import{register}from"node:module";register(${JSON.stringify(hooks)})`;
const main = new URL('../main.ts', import.meta.url).pathname;

let dataDir: string;
let port: number;
let url: string;
let child: ChildProcess | null;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'assent-sandbox-'));
  port = await freeConsecutivePorts(2);
  url = `http://127.0.0.1:${port}`;
  child = null;
});

afterEach(async () => {
  await kill();
  await rm(dataDir, { recursive: true });
});

/** Runs `main.ts` as its own process, until it says where it is. */
async function startProcess(): Promise<void> {
  child = spawn(process.execPath, ['--import', withHooks, main], {
    env: { PATH: process.env.PATH, ASSENT_SANDBOX_PORT: String(port), ASSENT_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [words] = (await once(child.stdout!, 'data')) as [Buffer];
  expect(words.toString()).toContain(`Provider  ${url}`);
}

async function kill(): Promise<void> {
  if (child?.kill('SIGKILL')) await once(child, 'exit');
  child = null;
}

async function post(path: string, params: Record<string, string>): Promise<Json> {
  const { clientId, clientSecret } = sandboxClients.secretPost;
  const body = new URLSearchParams({ client_id: clientId, client_secret: clientSecret, ...params });
  return (await (await fetch(`${url}${path}`, { method: 'POST', body })).json()) as Json;
}

const ask = (bindingMessage: string) =>
  post('/backchannel', { scope: 'openid', login_hint: 'alice@example.com', binding_message: bindingMessage });
const poll = ({ auth_req_id: id }: Json) => post('/token', { grant_type: CIBA_GRANT_TYPE, auth_req_id: String(id) });
const read = async (path: string): Promise<Json> => (await (await fetch(`${url}${path}`)).json()) as Json;

async function onPhone(): Promise<{ id: string; bindingMessage: string }[]> {
  const list = await read('/phone/requests?loginHint=alice@example.com');
  return list as unknown as { id: string; bindingMessage: string }[];
}

it('goes on after kill -9 as if nothing had happened', async () => {
  await startProcess();
  const identity = [await read('/jwks'), await read('/sandbox.json')];
  const pending = await ask('pending');
  const approved = await ask('approved');
  const before = await onPhone();
  const tapped = before.find(({ bindingMessage }) => bindingMessage === 'approved');
  await fetch(`${url}/phone/requests/${tapped?.id}/approve`, { method: 'POST' });
  await kill();

  await startProcess();
  expect([await read('/jwks'), await read('/sandbox.json')]).toEqual(identity);
  expect(await poll(approved)).toMatchObject({ token_type: 'Bearer', scope: 'openid' });
  expect(await poll(pending)).toMatchObject({ error: 'authorization_pending' });
  const after = await onPhone();
  expect(after).toEqual(before.filter(({ bindingMessage }) => bindingMessage === 'pending'));
  await fetch(`${url}/phone/requests/${after[0]?.id}/approve`, { method: 'POST' });
  expect(await poll(pending)).toMatchObject({ token_type: 'Bearer' });
}, 60_000);

it('takes another port for mutual TLS when the next one is taken, and says which', async () => {
  const squatter = createServer().listen(port + 1, '127.0.0.1');
  await once(squatter, 'listening');
  let sandbox: Sandbox | null = null;
  try {
    sandbox = await startSandbox({ port, assentUrl: null, assentApiKey: null });
    expect(new URL(sandbox.mtls.url).port).not.toBe(String(port + 1));
    const discovery = await read('/.well-known/openid-configuration');
    expect(discovery.mtls_endpoint_aliases).toMatchObject({ token_endpoint: `${sandbox.mtls.url}/token` });
  } finally {
    await sandbox?.stop();
    squatter.close();
  }
});

it('refuses to start on a taken port, and leaves nothing behind', async () => {
  const options = { port, assentUrl: null, assentApiKey: null };
  const first = await startSandbox(options);
  await expect(startSandbox({ ...options, dataDir })).rejects.toThrow(
    `Port ${port} is in use. Stop what listens there, or set ASSENT_SANDBOX_PORT to another one.`,
  );
  await first.stop();
  const second = await startSandbox({ ...options, dataDir });
  await second.stop();
  expect((await readdir(dataDir)).sort()).toEqual(['sandbox-identity.json', 'sandbox-state.jsonl']);
});

it.each([
  ['a port that is taken', () => String(port), () => `Port ${port} is in use.`],
  ['a port that is no number', () => 'three thousand', () => 'ASSENT_SANDBOX_PORT is "three thousand"'],
  ['no port at all', () => '0', () => 'ASSENT_SANDBOX_PORT is "0"'],
])(
  'ends with one sentence when it is given %s',
  async (_, given, sentence) => {
    const squatter = createServer().listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    try {
      child = spawn(process.execPath, ['--import', withHooks, main], {
        env: { PATH: process.env.PATH, ASSENT_SANDBOX_PORT: given() },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr!.on('data', (part: Buffer) => (said += String(part)));
      const [code] = (await once(child, 'close')) as [number];
      expect(said).toContain(sentence());
      expect(said).not.toContain('    at ');
      expect(code).toBe(1);
    } finally {
      squatter.close();
    }
  },
  60_000,
);
