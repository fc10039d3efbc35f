import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { Rule, TokenProvider } from '#lib/contracts';
import { randomFrom } from '../interleavings/triples.js';
import { AssentClient } from '../support/assent-client.js';
import { prepareComposition, type Composition } from '../support/composition.js';
import { startWebhookSink, type WebhookSink } from '../support/webhook-sink.js';
import { startScriptedProvider, type ScriptedProvider } from '../support/scripted-provider.js';
import type { ServiceProcess } from '../support/service-process.js';

/** What one call of many was answered in the end. */
export interface CallerAnswer {
  readonly status: number;
  readonly body: { readonly id: string; readonly code?: string };
}

const limitMs = 240_000;

/**
 * Many callers at once before three rules services on one database, of which two are killed and started again meanwhile.
 *
 * Answers get lost: every fourth is thrown away by the caller, and every fourth call is cut off as soon as it is sent. A
 * caller repeats its call, under its key and at any of the three, until it has been answered.
 */
export class Crowd {
  readonly #random = randomFrom(4_107);
  #calls = 0;

  private constructor(
    readonly composition: Composition,
    readonly provider: ScriptedProvider,
    readonly assent: AssentClient,
    readonly callbacks: WebhookSink,
    private readonly services: readonly ServiceProcess[],
  ) {}

  static async open(): Promise<Crowd> {
    const provider = await startScriptedProvider({ intervalSeconds: 1 });
    const composition = await prepareComposition('distributed', {
      replicas: ['rules-service', 'rules-service'],
      env: { LOG_LEVEL: 'warn' },
    });
    await composition.start();
    const assent = new AssentClient(composition.url, composition.apiKey);
    const { id } = await assent.create<TokenProvider>('token-providers', { name: 'P', issuer: provider.issuer });
    await assent.create<Rule>('rules', {
      name: 'Pay',
      type: 'one-time-authorization',
      tokenProviderId: id,
      clientId: 'client',
      clientCredentials: { type: 'secret', clientSecret: 'a secret' },
      loginHintAttribute: 'email',
    });
    return new Crowd(composition, provider, assent, await startWebhookSink(), [
      composition.process('rules-service'),
      ...composition.replicas,
    ]);
  }

  async close(): Promise<void> {
    await this.composition.stop();
    await Promise.all([this.provider.stop(), this.callbacks.stop()]);
  }

  /** Does this while the second and the third rules service are killed and started again, one after the other. */
  async whileTheyDie<Result>(work: () => Promise<Result>): Promise<Result> {
    let over = false;
    const done = work().finally(() => (over = true));
    done.catch(() => undefined);
    for (let turn = 0; !over && turn < 6; turn++) {
      const service = this.services[1 + (turn % 2)]!;
      await Promise.race([pause(500), done.catch(() => undefined)]);
      await service.kill9();
      await service.start();
    }
    return done;
  }

  /** One caller's call, repeated until it is answered. */
  async call(path: string, key: string, body?: unknown): Promise<CallerAnswer> {
    const deadline = Date.now() + limitMs;
    while (Date.now() < deadline) {
      const { url } = this.services[Math.floor(this.#random() * this.services.length)]!;
      const fate = (['heard', 'heard', 'thrown away', 'cut off'] as const)[this.#calls++ % 4]!;
      const answer = await this.#once(`${url}${path}`, key, body, fate === 'cut off');
      // Told to come again later is no answer yet.
      if (answer !== null && fate !== 'thrown away' && answer.status !== 503) return answer;
      if (answer === null) await pause(20);
    }
    throw new Error(`POST ${path} was not answered within ${limitMs / 1000} s.`);
  }

  #once(url: string, key: string, body: unknown, cutOff: boolean): Promise<CallerAnswer | null> {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${this.assent.apiKey}`,
      'idempotency-key': key,
      ...(text && { 'content-type': 'application/json' }),
    };
    return new Promise((resolve) => {
      const call = request(url, { method: 'POST', headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', () => resolve(null));
        answer.on('end', () => {
          const read = Buffer.concat(parts).toString();
          resolve({ status: answer.statusCode!, body: JSON.parse(read) as CallerAnswer['body'] });
        });
      });
      call.on('error', () => resolve(null));
      call.end(text, () => {
        if (cutOff) call.destroy();
      });
    });
  }
}

/** One submitted key, and what all who submitted it were told. */
export interface Submitted {
  readonly person: string;
  readonly id: string;
}

/** As many callers as that for each of these keys, all of a key at once; each is told of the same request. */
export async function submitAll(crowd: Crowd, keys: number, callers: number): Promise<Submitted[]> {
  const people = Array.from({ length: keys }, () => ({ key: randomUUID(), person: `${randomUUID()}@example.com` }));
  return crowd.whileTheyDie(() =>
    inTurns(people, async ({ key, person }) => {
      const body = { rule: 'Pay', attributes: { email: person }, callbackUrl: `${crowd.callbacks.url}/callback` };
      const one = () => crowd.call('/v1/authorization-requests', key, body);
      const answers = await Promise.all(Array.from({ length: callers }, one));
      const told = new Set(answers.map(({ status, body: { id } }) => `${status} ${id}`));
      expect([...told]).toEqual([`202 ${answers[0]!.body.id}`]);
      return { person, id: answers[0]!.body.id };
    }),
  );
}

/** As many callers as that for each of these approvals, each under a key of its own; answers how many of them were successful. */
export async function consumeAll(crowd: Crowd, requests: readonly Submitted[], callers: number): Promise<number[]> {
  return crowd.whileTheyDie(() =>
    inTurns(requests, async ({ id }) => {
      const one = () => crowd.call(`/v1/authorization-requests/${id}/consume`, randomUUID());
      const answers = await Promise.all(Array.from({ length: callers }, one));
      const others = answers.filter(({ status }) => status !== 200);
      const told = new Set(others.map(({ status, body }) => `${status} ${body.code}`));
      expect([...told]).toEqual(['409 already_consumed']);
      return answers.length - others.length;
    }),
  );
}

/** Twenty at a time: a machine has only so many ports. */
async function inTurns<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const rest = items.values();
  const lane = async () => {
    for (const item of rest) results.push(await work(item));
  };
  await Promise.all(Array.from({ length: 20 }, lane));
  return results;
}
