import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { AuthorizationRequestDocument } from '#lib/contracts';
import { Agent, request as send } from 'undici';
import type { Ledger } from './ledger.js';
import { briefConsumeSeconds, type RequestPlan } from './request-plan.js';

/** An application with its own API key. */
export interface ApiClient {
  readonly name: string;
  readonly key: string;
}

export interface LoadOptions {
  readonly apiUrls: readonly string[];
  readonly apiClients: readonly ApiClient[];
  /** Where callbacks go. */
  readonly callbackUrl: string;
  readonly ledger: Ledger;
  /** Calls back once, in the moment in which the grant of this person's request has been used up. */
  readonly onRedeemed: (loginHint: string, act: () => void) => void;
  /** A submission was accepted by the n-th rules service. */
  readonly onSubmitted: (server: number, requestId: string, atMs: number) => void;
  /** A caller has its answer, of whichever rules service; `call` is what `underWayAt` names it. */
  readonly onAnswered: (call: string, atMs: number) => void;
  readonly signal: AbortSignal;
}

/** What the callers have seen so far. */
export interface LoadTally {
  submitted: number;
  accepted: number;
  decided: number;
  consumed: number;
  /** Things that no caller may ever see; each a sentence. */
  readonly unexpected: string[];
}

type Operation = 'submit' | 'get' | 'cancel' | 'consume' | 'replay';

interface Call {
  readonly op: Operation;
  readonly client: ApiClient;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly facts?: Readonly<Record<string, unknown>>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown> | null;
}

const callLimitMs = 15_000;
/** For how long a caller insists on an answer. */
const patienceMs = 300_000;
const racers = 8;

/** The applications of a run: each request is one of their small stories. Every call stands in the ledger. */
export class Load {
  readonly tally: LoadTally = { submitted: 0, accepted: 0, decided: 0, consumed: 0, unexpected: [] };
  readonly #agent = new Agent({ connections: 256, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  #calls = 0;
  #wanted = 0;
  readonly #underWay = new Map<number, Set<string>>();

  constructor(private readonly options: LoadOptions) {}

  /** Plays all requests, each from its moment on; resolves when the last one is over. */
  async run(plans: readonly RequestPlan[], startedAtMs: number): Promise<void> {
    const { signal } = this.options;
    const playing: Promise<void>[] = [];
    for (const plan of plans) {
      const waitMs = startedAtMs + plan.atMs - Date.now();
      if (waitMs > 2) await pause(waitMs, undefined, { signal });
      signal.throwIfAborted();
      playing.push(this.#play(plan).catch((error: unknown) => this.#complain(plan, String(error))));
    }
    await Promise.all(playing);
  }

  /** Goes on at an even pace for as long as somebody has to see that work flows; resolves when the last one is over. */
  async trickle(next: () => RequestPlan, everyMs: number, goesOn: () => boolean): Promise<void> {
    const playing: Promise<void>[] = [];
    while (goesOn() && !this.options.signal.aborted) {
      const plan = next();
      playing.push(this.#play(plan).catch((error: unknown) => this.#complain(plan, String(error))));
      await pause(everyMs, undefined, { signal: this.options.signal });
    }
    await Promise.all(playing);
  }

  /** What callers want of the n-th rules service at this moment, and have no answer to. */
  underWayAt(server: number): ReadonlySet<string> {
    return new Set(this.#underWay.get(server));
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
  }

  async #play(plan: RequestPlan): Promise<void> {
    const { signal } = this.options;
    const client = this.options.apiClients[plan.caller.client]!;
    this.tally.submitted++;
    const body = submission(plan, this.options.callbackUrl);
    const answers = await Promise.all(
      Array.from({ length: plan.caller.submissions }, () => this.#submit(plan, client, body)),
    );
    const ids = new Set(answers.map((answer) => answer?.body?.['id']));
    const id = answers[0]?.body?.['id'];
    if (ids.size !== 1 || typeof id !== 'string') {
      if (!signal.aborted) this.#complain(plan, `${ids.size} ids for one key, or none: ${JSON.stringify([...ids])}`);
      return;
    }
    this.tally.accepted++;
    const ended = new AbortController();
    const cancelled = this.#cancel(plan, client, id, ended.signal);
    const decided = await this.#decision(client, id);
    ended.abort();
    await cancelled;
    if (decided === null) {
      if (!signal.aborted) this.#complain(plan, `no decision about ${id}`);
      return;
    }
    this.tally.decided++;
    if (decided.status === 'approved') await this.#consume(plan, client, id, body.attributes);
    await this.#afterwards(plan, client, id, body);
  }

  #submit(plan: RequestPlan, client: ApiClient, body: unknown): Promise<Answer | null> {
    const { preferWaitSeconds } = plan.caller;
    return this.#insist({
      op: 'submit',
      client,
      method: 'POST',
      path: '/v1/authorization-requests',
      headers: {
        'idempotency-key': keyOf(plan),
        ...(preferWaitSeconds > 0 && { prefer: `wait=${preferWaitSeconds}` }),
      },
      body,
      facts: { idempotencyKey: keyOf(plan), attributes: (body as { attributes: unknown }).attributes },
    });
  }

  async #decision(client: ApiClient, id: string): Promise<AuthorizationRequestDocument | null> {
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline && !this.options.signal.aborted;) {
      const answer = await this.#insist({
        op: 'get',
        client,
        method: 'GET',
        path: `/v1/authorization-requests/${id}`,
        headers: { prefer: 'wait=10' },
        facts: { requestId: id },
      });
      const document = answer?.body as AuthorizationRequestDocument | null | undefined;
      if (answer?.status === 200 && document?.decision) return document;
      if (answer !== null && answer.status !== 200) return null;
    }
    return null;
  }

  async #cancel(plan: RequestPlan, client: ApiClient, id: string, ended: AbortSignal): Promise<void> {
    const { cancel } = plan.caller;
    if (cancel === null) return;
    if (cancel !== 'while-redeemed') await pause(cancel, undefined, { signal: this.options.signal });
    else if (!(await this.#redeemed(plan.loginHint, ended))) return;
    await this.#insist({
      op: 'cancel',
      client,
      method: 'POST',
      path: `/v1/authorization-requests/${id}/cancel`,
      facts: { requestId: id },
    });
  }

  /** False when the request ends without its grant being used up, however long that takes on a busy machine. */
  async #redeemed(loginHint: string, ended: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      ended.addEventListener('abort', () => resolve(false), { once: true });
      this.options.onRedeemed(loginHint, () => resolve(true));
    });
  }

  async #consume(plan: RequestPlan, client: ApiClient, id: string, attributes: unknown): Promise<void> {
    const use = (by: ApiClient, key: string | null, sent: unknown): Promise<Answer | null> =>
      this.#insist(
        {
          op: 'consume',
          client: by,
          method: 'POST',
          path: `/v1/authorization-requests/${id}/consume`,
          headers: key === null ? {} : { 'idempotency-key': key },
          ...(sent !== undefined && { body: { attributes: sent } }),
          facts: {
            requestId: id,
            ...(key !== null && { consumeKey: key }),
            ...(sent !== undefined && { attributes: sent }),
          },
        },
        // Without a key a repetition would look like a second use.
        key !== null,
      );
    const key = `use-${plan.number}`;
    switch (plan.caller.consume) {
      case 'never':
        return;
      case 'once':
        return this.#expectUses(plan, [await use(client, key, attributes)], 1);
      case 'race': {
        const racing = Array.from({ length: racers }, (_, n) => use(client, `${key}-${n}`, undefined));
        return this.#expectUses(plan, await Promise.all(racing), 1);
      }
      case 'retry-by-key': {
        const first = await use(client, key, undefined);
        const again = await use(client, key, undefined);
        const other = await use(client, `${key}-other`, undefined);
        if (
          first?.status === 200 &&
          again?.status === 200 &&
          first.body?.['consumedAt'] !== again.body?.['consumedAt']
        ) {
          this.#complain(plan, 'the repetition of a use was answered otherwise');
        }
        return this.#expectUses(plan, [first, other], 1);
      }
      case 'mismatch-first': {
        const refused = await use(client, null, { ...(attributes as object), amount: -1 });
        if (refused?.status === 200) this.#complain(plan, 'other attributes than approved were taken');
        return this.#expectUses(plan, [await use(client, key, attributes)], 1);
      }
      case 'foreign-first': {
        const others = this.options.apiClients.filter((one) => one !== client);
        const refused = await use(others[plan.number % others.length]!, null, undefined);
        if (refused && refused.status !== 404 && refused.status < 500) {
          this.#complain(plan, `another client was answered ${refused.status}`);
        }
        return this.#expectUses(plan, [await use(client, key, undefined)], 1);
      }
      case 'too-late':
        await pause((briefConsumeSeconds + 1) * 1000, undefined, { signal: this.options.signal });
        return this.#expectUses(plan, [await use(client, key, undefined)], 0);
    }
  }

  #expectUses(plan: RequestPlan, answers: readonly (Answer | null)[], most: number): void {
    const uses = answers.filter((answer) => answer?.status === 200).length;
    if (uses > most) this.#complain(plan, `an approval was used ${uses} times`);
    this.tally.consumed += uses;
  }

  async #afterwards(plan: RequestPlan, client: ApiClient, id: string, body: { attributes: object }): Promise<void> {
    const { afterwards } = plan.caller;
    if (afterwards === 'none') return;
    const sent = afterwards === 'replay' ? body : { ...body, attributes: { ...body.attributes, amount: -1 } };
    const answer = await this.#insist({
      op: 'replay',
      client,
      method: 'POST',
      path: '/v1/authorization-requests',
      headers: { 'idempotency-key': keyOf(plan) },
      body: sent,
      facts: { idempotencyKey: keyOf(plan), attributes: sent.attributes },
    });
    if (answer === null) return;
    if (afterwards === 'replay' && answer.body?.['id'] !== id) this.#complain(plan, 'a replay has another id');
    if (afterwards === 'other-body' && answer.status !== 422) {
      this.#complain(plan, `another body under a used key was answered ${answer.status}`);
    }
  }

  /** Calls until there is an answer that says something about the request; null when the run ends first. */
  async #insist(call: Call, repeats = true): Promise<Answer | null> {
    const { signal, onAnswered } = this.options;
    const wanted = String(++this.#wanted);
    for (let attempt = 0, deadline = Date.now() + patienceMs; Date.now() < deadline && !signal.aborted; attempt++) {
      const answer = await this.#once(call, wanted);
      if (answer !== null && answer.status < 500 && answer.status !== 429) {
        onAnswered(wanted, Date.now());
        return answer;
      }
      if (answer !== null && answer.status === 500)
        this.tally.unexpected.push(`500 ${call.op} ${JSON.stringify(answer.body)}`);
      if (!repeats) return answer;
      await pause(Math.min(200 * 2 ** attempt, 2_000), undefined, { signal }).catch(() => undefined);
    }
    return null;
  }

  /** One call; null when its answer was lost. */
  async #once({ op, client, method, path, headers = {}, body, facts }: Call, wanted: string): Promise<Answer | null> {
    const { apiUrls, ledger, onSubmitted, signal } = this.options;
    const callId = ++this.#calls;
    const server = callId % apiUrls.length;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const common = {
      callId,
      client: client.name,
      op,
      ...facts,
      ...(text !== undefined && { bodyHash: createHash('sha256').update(text).digest('hex') }),
    };
    ledger.write({ kind: 'sent', atMs: Date.now(), ...common });
    const underWay = this.#underWay.get(server) ?? new Set();
    this.#underWay.set(server, underWay.add(wanted));
    // Not AbortSignal.any: in Node.js 20 a time limit that only it holds may be collected, and then never comes.
    const end = new AbortController();
    const stop = (): void => end.abort();
    const limit = setTimeout(stop, callLimitMs);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const response = await send(`${apiUrls[server]!}${path}`, {
        method,
        dispatcher: this.#agent,
        headers: {
          authorization: `Bearer ${client.key}`,
          ...(text !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        body: text ?? null,
        signal: end.signal,
      });
      const answer = await response.body.text();
      const parsed = (answer ? JSON.parse(answer) : null) as Record<string, unknown> | null;
      const status = response.statusCode;
      const ok = status < 300;
      const atMs = Date.now();
      const id = (facts?.['requestId'] ?? (ok ? parsed?.['id'] : undefined)) as string | undefined;
      ledger.write({
        kind: 'answered',
        atMs,
        ...common,
        requestId: id,
        status,
        replayed: response.headers['idempotent-replayed'] === 'true' || undefined,
        ...(ok ? { answer: parsed } : { problemCode: parsed?.['code'] }),
      });
      if (op === 'submit' && ok) onSubmitted(server, id!, atMs);
      return { status, headers: response.headers, body: parsed };
    } catch {
      ledger.write({ kind: 'lost', atMs: Date.now(), ...common });
      return null;
    } finally {
      clearTimeout(limit);
      signal.removeEventListener('abort', stop);
      underWay.delete(wanted);
    }
  }

  #complain({ number }: RequestPlan, what: string): void {
    if (!this.options.signal.aborted) this.tally.unexpected.push(`request ${number}: ${what}`);
  }
}

const keyOf = ({ number }: RequestPlan): string => `request-${number}`;

function submission({ caller, loginHint, amount, number }: RequestPlan, callbackUrl: string) {
  return {
    rule: caller.rule,
    attributes: { email: loginHint, amount, urgent: number % 2 === 0 },
    metadata: { number: String(number) },
    ...(caller.callback && { callbackUrl }),
  };
}
