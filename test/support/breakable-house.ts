import { setTimeout as pause } from 'node:timers/promises';
import type { Rule, TokenProvider } from '#lib/contracts';
import { AssentClient } from './assent-client.js';
import { prepareComposition, type Composition } from './composition.js';
import { startPostgres, type TestPostgres } from './postgres.js';
import { startRabbit, type Rabbit } from './rabbitmq.js';
import { startScriptedProvider, type ScriptedProvider, type ScriptedRequest } from './scripted-provider.js';

/** A request that was accepted, and the person whom it asks: nobody else's requests name them. */
export interface Submitted {
  readonly id: string;
  readonly person: string;
}

/** Four processes, a broker and a database that a test may kill, a provider that answers as told, and a rule `Pay`. */
export class BreakableHouse {
  #people = 0;

  private constructor(
    readonly postgres: TestPostgres,
    readonly rabbit: Rabbit,
    readonly provider: ScriptedProvider,
    readonly composition: Composition,
    readonly assent: AssentClient,
    readonly tokenProviderId: string,
  ) {}

  static async open(): Promise<BreakableHouse> {
    const [postgres, rabbit, provider] = await Promise.all([
      startPostgres(),
      startRabbit(),
      startScriptedProvider({ intervalSeconds: 1 }),
    ]);
    const composition = await prepareComposition('distributed', {
      database: await postgres.freshDatabase(),
      broker: { url: rabbit.url, stop: async () => undefined },
    });
    await composition.start();
    const assent = new AssentClient(composition.url, composition.apiKey);
    const { id } = await assent.create<TokenProvider>('token-providers', { name: 'P', issuer: provider.issuer });
    const house = new BreakableHouse(postgres, rabbit, provider, composition, assent, id);
    await house.addRule('Pay', id);
    return house;
  }

  async close(): Promise<void> {
    await this.composition.stop();
    await Promise.all([this.provider.stop(), this.rabbit.stop(), this.postgres.stop()]);
  }

  addRule(name: string, tokenProviderId: string, more: object = {}): Promise<Rule> {
    return this.assent.create<Rule>('rules', {
      name,
      type: 'one-time-authorization',
      tokenProviderId,
      clientId: 'client',
      clientCredentials: { type: 'secret', clientSecret: 'a secret' },
      loginHintAttribute: 'email',
      ...more,
    });
  }

  /** @throws when the request is not accepted */
  async submit(rule = 'Pay'): Promise<Submitted> {
    const person = `person${this.#people++}@example.com`;
    const { status, body } = await this.assent.submit({ rule, attributes: { email: person } });
    if (status !== 202) throw new Error(`Answered ${status}: ${JSON.stringify(body)}`);
    return { id: body.id, person };
  }

  /** What the provider made of a request, once Assent has recorded its answer: before that, a kill may lose it. */
  async pending({ id, person }: Submitted): Promise<ScriptedRequest> {
    const deadline = Date.now() + 90_000;
    while ((await this.assent.request(id)).body.status !== 'pending') {
      if (Date.now() > deadline) throw new Error('The request is not pending at the provider.');
      await pause(20);
    }
    return this.provider.requests.findLast(({ form }) => form.get('login_hint') === person)!;
  }
}
