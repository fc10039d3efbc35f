import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Catch, Controller, type RpcExceptionFilter } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload, type MicroserviceOptions } from '@nestjs/microservices';
import { randomUUID } from 'node:crypto';
import { of, throwError, type Observable } from 'rxjs';
import type { CloudEvent } from '#lib/contracts';
import {
  EventContext,
  GiveUp,
  Unroutable,
  type DeliveryMode,
  type EventBus,
  type EventTransport,
  type Log,
  type OutgoingEvent,
} from './index.js';

/** Passes the real error on to the transport, as every service does; Nest's own filter replaces it by a general one. */
@Catch()
class KeepError implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/** What a test may set about a bus. */
export interface BusSettings {
  readonly log?: Log;
  readonly retryDelaysMs?: readonly number[];
  readonly prefetch?: number;
}

/** A system of processes joined by one kind of bus. */
export interface BusWorld {
  /** The bus of one more process; where there is only one process, the same bus again. */
  process(settings?: BusSettings): EventBus;
  /** Ends all of them. */
  end(): Promise<void>;
}

/** Things that happened, in order; a test waits for the next one instead of sleeping. */
export class Journal<T> {
  private readonly entries: T[] = [];
  private wake: () => void = () => {};

  add(entry: T): void {
    this.entries.push(entry);
    this.wake();
  }

  async next(): Promise<T> {
    while (this.entries.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.entries.shift()!;
  }

  async take(count: number): Promise<T[]> {
    const taken: T[] = [];
    while (taken.length < count) taken.push(await this.next());
    return taken;
  }

  get unread(): number {
    return this.entries.length;
  }
}

/** One call of a handler. */
export interface Call {
  readonly payload: unknown;
  readonly context: EventContext;
}

type Handler = (payload: unknown, context: EventContext) => unknown;

/** An event about a new request, for routing keys that no other test uses. */
export function anEvent(routingKey: string, payload: unknown = {}): OutgoingEvent {
  const event: CloudEvent = {
    specversion: '1.0',
    id: randomUUID(),
    source: '/test',
    type: `assent.${routingKey}.v1`,
    subject: randomUUID(),
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: payload,
  };
  const decision = routingKey.startsWith('decision.');
  return { exchange: decision ? 'assent.decisions' : 'assent.authorizations', routingKey, event };
}

/** A word that makes routing keys and consumer names a test's own, on a broker that others use as well. */
export function aWord(): string {
  return `t${randomUUID().replaceAll('-', '').slice(0, 12)}`;
}

/** Starts a consumer with one handler; resolves when it consumes. */
export async function listen(
  bus: EventBus,
  name: string,
  pattern: string,
  handler: Handler,
  delivery: DeliveryMode = 'one-instance',
): Promise<EventTransport> {
  const transport = bus.consumer(name);
  transport.addHandler(pattern, async (payload, context) => handler(payload, context as EventContext), true, {
    delivery,
  });
  transport.listen(() => {});
  await bus.whenConnected();
  return transport;
}

/** A log that keeps the messages that went to a dead queue. */
export function deadLog(): { log: Log; dead: Journal<{ queue: string; reason: string }> } {
  const dead = new Journal<{ queue: string; reason: string }>();
  const log: Log = (_level, message, detail) => {
    if (message === 'message moved to the dead queue') dead.add(detail as { queue: string; reason: string });
  };
  return { log, dead };
}

/** What every kind of bus promises; the in-process one is believed because it passes what the broker's passes. */
export function describeEventBus(kind: string, createWorld: () => BusWorld): void {
  describe(`${kind} event bus`, () => {
    let world: BusWorld;
    let own: string;
    let group: string;
    beforeEach(() => {
      world = createWorld();
      own = aWord();
      group = `group-${aWord()}`;
    });
    afterEach(() => world.end());

    const started = async (settings?: BusSettings): Promise<EventBus> => {
      const bus = world.process(settings);
      await bus.whenConnected();
      return bus;
    };
    const intoJournal = (journal: Journal<Call>): Handler => {
      return (payload, context) => journal.add({ payload, context });
    };

    describe('routes', () => {
      it.each([
        ['the very key', ['requested'], ['requested'], ['approved']],
        ['* for one word', ['*'], ['approved'], ['approved.late']],
        ['# for any number of words', ['#'], ['approved.late.twice'], []],
        ['# for no word', ['approved', '#'], ['approved'], ['denied']],
        ['* in the middle', ['*', 'late'], ['denied.late'], ['denied.early']],
      ])('by pattern: %s', async (_, pattern, matching, others) => {
        const bus = await started();
        const calls = new Journal<Call>();
        await listen(bus, group, ['authorization', own, ...pattern].join('.'), intoJournal(calls));
        const at = (rest: string) => anEvent(`authorization.${own}.${rest}`);

        for (const other of others) await expect(bus.publish(at(other))).rejects.toThrow(Unroutable);
        for (const match of matching) {
          const sent = at(match);
          await bus.publish(sent);
          expect((await calls.next()).context.event).toEqual(sent.event);
        }
        expect(calls.unread).toBe(0);
      });

      it('by exchange: the first word of the pattern names it', async () => {
        const bus = await started();
        const decisions = new Journal<Call>();
        const requests = new Journal<Call>();
        await listen(bus, group, `decision.${own}.#`, intoJournal(decisions));
        await listen(bus, group, `authorization.${own}.#`, intoJournal(requests));

        await bus.publish(anEvent(`decision.${own}.approved`, { of: 'decision' }));
        await bus.publish(anEvent(`authorization.${own}.approved`, { of: 'request' }));

        expect((await decisions.next()).payload).toEqual({ of: 'decision' });
        expect((await requests.next()).payload).toEqual({ of: 'request' });
        await expect(
          bus.publish({ ...anEvent(`decision.${own}.approved`), exchange: 'assent.authorizations' }),
        ).rejects.toThrow(Unroutable);
      });

      it('nowhere: publishing what no queue takes rejects, and nothing else with it', async () => {
        const bus = await started();
        const calls = new Journal<Call>();
        await listen(bus, group, `authorization.${own}.wanted`, intoJournal(calls));
        const publish = (last: string) => bus.publish(anEvent(`authorization.${own}.${last}`));

        const outcomes = await Promise.allSettled([publish('wanted'), publish('unwanted'), publish('wanted')]);

        expect(outcomes.map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        await calls.take(2);
      });

      it('nowhere, many times at once with the same id: all reject', async () => {
        const bus = await started();
        const event = anEvent(`authorization.${own}.unwanted`);
        const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => bus.publish(event)));
        expect(new Set(outcomes.map((each) => each.status))).toEqual(new Set(['rejected']));
      });
    });

    describe('one-instance delivery', () => {
      it('gives each group each event once, and shares it out among the members of a group', async () => {
        const bus = await started();
        const shared = new Journal<Call>();
        const alone = new Journal<Call>();
        await listen(world.process(), group, `authorization.${own}.#`, intoJournal(shared));
        await listen(world.process(), group, `authorization.${own}.#`, intoJournal(shared));
        await listen(world.process(), `${group}-other`, `authorization.${own}.#`, intoJournal(alone));
        const sent = Array.from({ length: 40 }, () => anEvent(`authorization.${own}.requested`));

        await Promise.all(sent.map((each) => bus.publish(each)));

        const ids = sent.map((each) => each.event.id).sort();
        for (const journal of [shared, alone]) {
          const got = await journal.take(40);
          expect(got.map((each) => each.context.event.id).sort()).toEqual(ids);
        }
        expect(shared.unread).toBe(0);
      });

      it('leaves to the others what a busy member has no hand free for', async () => {
        const bus = await started({ prefetch: 1 });
        const calls = new Journal<string>();
        let release = (): void => {};
        const released = new Promise<void>((resolve) => (release = resolve));
        let first = true;
        const handler = (member: string) => async () => {
          const busy = first;
          first = false;
          calls.add(busy ? 'busy' : member);
          if (busy) await released;
        };
        await listen(world.process({ prefetch: 1 }), group, `authorization.${own}`, handler('a'));
        await listen(world.process({ prefetch: 1 }), group, `authorization.${own}`, handler('b'));

        for (let count = 0; count < 6; count++) await bus.publish(anEvent(`authorization.${own}`));

        const [busy, ...others] = await calls.take(6);
        expect(busy).toBe('busy');
        expect(new Set(others).size).toBe(1);
        release();
      });

      it('keeps the events of a group whose members are away', async () => {
        const bus = await started();
        const calls = new Journal<Call>();
        const gone = await listen(bus, group, `authorization.${own}`, intoJournal(new Journal()));
        await gone.close();

        const sent = anEvent(`authorization.${own}`);
        await bus.publish(sent);
        await listen(world.process(), group, `authorization.${own}`, intoJournal(calls));

        expect((await calls.next()).context.event).toEqual(sent.event);
      });
    });

    describe('every-instance delivery', () => {
      it('gives each running process each event', async () => {
        const journals = [new Journal<Call>(), new Journal<Call>()];
        for (const journal of journals) {
          await listen(world.process(), group, `decision.${own}.#`, intoJournal(journal), 'every-instance');
        }
        const bus = await started();
        const sent = anEvent(`decision.${own}.denied`);
        await bus.publish(sent);
        for (const journal of journals) expect((await journal.next()).context.event).toEqual(sent.event);
      });

      it('goes beside one-instance delivery of the same pattern', async () => {
        const bus = await started();
        const once = new Journal<Call>();
        const hints = new Journal<Call>();
        const transport = bus.consumer(group);
        const add = (journal: Journal<Call>, delivery: DeliveryMode) =>
          transport.addHandler(
            `decision.${own}`,
            async (payload, context) => journal.add({ payload, context: context as EventContext }),
            true,
            { delivery },
          );
        add(once, 'one-instance');
        add(hints, 'every-instance');
        transport.listen(() => {});
        await bus.whenConnected();

        await bus.publish(anEvent(`decision.${own}`, 'hello'));

        expect((await once.next()).payload).toBe('hello');
        expect((await hints.next()).payload).toBe('hello');
      });

      it('forgets a process that has left', async () => {
        const bus = await started();
        const transport = await listen(bus, group, `decision.${own}`, () => {}, 'every-instance');
        await bus.publish(anEvent(`decision.${own}`));
        await transport.close();
        await expect(bus.publish(anEvent(`decision.${own}`))).rejects.toThrow(Unroutable);
      });

      it('does not repeat what a handler failed on', async () => {
        const logged = new Journal<string>();
        const bus = await started({ retryDelaysMs: [1], log: (_, message) => logged.add(message) });
        const calls = new Journal<Call>();
        const failFirst: Handler = (payload, context) => {
          calls.add({ payload, context });
          if (payload === 'bad') throw new Error('no');
        };
        await listen(bus, group, `decision.${own}`, failFirst, 'every-instance');

        await bus.publish(anEvent(`decision.${own}`, 'bad'));
        await bus.publish(anEvent(`decision.${own}`, 'good'));

        expect((await calls.take(2)).map((each) => each.payload)).toEqual(['bad', 'good']);
        let message = await logged.next();
        while (!message.includes('hint lost')) message = await logged.next();
        expect(calls.unread).toBe(0);
      });
    });

    describe('every-waiting-instance delivery', () => {
      /** Resolves when the bus has let go of what nobody waits for. */
      const unbound = async (bus: EventBus): Promise<void> => {
        for (let taken = true; taken;) {
          const publishing = bus.publish(anEvent(`decision.${own}`, 'too late'));
          taken = await publishing.then(
            () => true,
            (error: unknown) => {
              if (error instanceof Unroutable) return false;
              throw error;
            },
          );
        }
      };

      it('takes nothing while nobody waits, and everything once somebody does', async () => {
        const bus = await started();
        const calls = new Journal<Call>();
        const hearing = new Journal<'hearing'>();
        const attention = bus.attention(() => hearing.add('hearing'));
        await listen(bus, group, `decision.${own}`, intoJournal(calls), 'every-waiting-instance');
        await expect(bus.publish(anEvent(`decision.${own}`, 'unawaited'))).rejects.toThrow(Unroutable);

        attention.begin();
        await hearing.next();
        await bus.publish(anEvent(`decision.${own}`, 'awaited'));
        expect((await calls.next()).payload).toBe('awaited');

        attention.end();
        await unbound(bus);
        attention.begin();
        await hearing.next();
        await bus.publish(anEvent(`decision.${own}`, 'awaited again'));
        let call = await calls.next();
        while (call.payload === 'too late') call = await calls.next();
        expect(call.payload).toBe('awaited again');
        expect(calls.unread).toBe(0);
      });

      it('goes on until nobody in the process waits, however quickly they come and go', async () => {
        const bus = await started();
        const calls = new Journal<Call>();
        const hearing = new Journal<'one' | 'other'>();
        const one = bus.attention(() => hearing.add('one'));
        const other = bus.attention(() => hearing.add('other'));
        // Whoever waits before there is a consumer is heard as well.
        one.begin();
        await listen(bus, group, `decision.${own}`, intoJournal(calls), 'every-waiting-instance');
        expect(await hearing.next()).toBe('one');

        one.end();
        one.begin();
        other.begin();
        one.end();
        one.end();
        await hearing.next();
        await bus.publish(anEvent(`decision.${own}`, 'for the other'));
        expect((await calls.next()).payload).toBe('for the other');
        other.end();
        await unbound(bus);
      });
    });

    describe('failing handlers', () => {
      it('are tried again, with the same event', async () => {
        const bus = await started({ retryDelaysMs: [10, 20, 30] });
        const calls = new Journal<Call>();
        await listen(bus, group, `authorization.${own}`, (payload, context) => {
          calls.add({ payload, context });
          if (context.attempt < 3) throw new Error('not yet');
        });
        const sent = anEvent(`authorization.${own}`, { kept: true });
        await bus.publish(sent);

        const got = await calls.take(3);
        expect(got.map((each) => each.context.attempt)).toEqual([1, 2, 3]);
        expect(got.map((each) => each.context.redelivered)).toEqual([false, true, true]);
        for (const { context, payload } of got) {
          expect(context.event).toEqual(sent.event);
          expect(payload).toEqual({ kept: true });
        }
      });

      it('end in the dead queue, with the reason, when all attempts are used up', async () => {
        const { log, dead } = deadLog();
        const bus = await started({ retryDelaysMs: [5, 10], log });
        const calls = new Journal<Call>();
        const queue = `${group}.authorization.${own}`;
        await listen(bus, group, `authorization.${own}`, (payload, context) => {
          calls.add({ payload, context });
          if (payload === 'hopeless') throw new Error('the provider is upside down');
        });
        const sent = anEvent(`authorization.${own}`, 'hopeless');
        await bus.publish(sent);

        expect(await dead.next()).toMatchObject({ queue, reason: 'Error: the provider is upside down' });
        expect(await bus.deadLetters.list([queue], 100)).toEqual([
          {
            key: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
            queue,
            type: sent.event.type,
            subject: sent.event.subject,
            diedAt: expect.any(Date),
            id: sent.event.id,
            reason: 'Error: the provider is upside down',
            attempts: 3,
            body: JSON.stringify(sent.event),
          },
        ]);
        expect(await bus.deadLetters.list([queue], 100)).toHaveLength(1);
        await bus.publish(anEvent(`authorization.${own}`, 'hopeful'));
        expect((await calls.take(4)).map((each) => each.payload)).toEqual([
          'hopeless',
          'hopeless',
          'hopeless',
          'hopeful',
        ]);
      });

      it('give up at once when they say so', async () => {
        const { log, dead } = deadLog();
        const bus = await started({ retryDelaysMs: [5], log });
        const calls = new Journal<Call>();
        await listen(bus, group, `authorization.${own}`, (payload, context) => {
          calls.add({ payload, context });
          throw new GiveUp('nobody knows this request');
        });
        await bus.publish(anEvent(`authorization.${own}`));

        expect((await dead.next()).reason).toBe('GiveUp: nobody knows this request');
        const letters = await bus.deadLetters.list([`${group}.authorization.${own}`], 100);
        expect(letters).toMatchObject([{ reason: 'GiveUp: nobody knows this request', attempts: 1 }]);
        await calls.next();
        expect(calls.unread).toBe(0);
      });

      it('may fail through an observable', async () => {
        const { log, dead } = deadLog();
        const bus = await started({ retryDelaysMs: [], log });
        const calls = new Journal<unknown>();
        await listen(bus, group, `authorization.${own}`, (payload) => {
          calls.add(payload);
          return payload === 'good' ? of('fine') : throwError(() => new Error('streamed'));
        });
        await bus.publish(anEvent(`authorization.${own}`, 'good'));
        await bus.publish(anEvent(`authorization.${own}`, 'bad'));

        expect(await calls.take(2)).toEqual(['good', 'bad']);
        expect((await dead.next()).reason).toBe('Error: streamed');
      });

      it('never see a message that is no event: it goes to the dead queue, with the reason', async () => {
        const { log, dead } = deadLog();
        const bus = await started({ retryDelaysMs: [5], log });
        const calls = new Journal<Call>();
        await listen(bus, group, `authorization.${own}`, intoJournal(calls));
        const sent = anEvent(`authorization.${own}`);
        const malformed = { ...sent, event: { ...sent.event, specversion: '0.3' as '1.0' } };
        await bus.publish(malformed);

        expect((await dead.next()).reason).toContain('specversion');
        expect(await bus.deadLetters.list([`${group}.authorization.${own}`], 100)).toMatchObject([
          { id: sent.event.id, body: JSON.stringify(malformed.event), attempts: 1 },
        ]);
        expect(calls.unread).toBe(0);
      });
    });

    describe('dead letters', () => {
      /** A group whose handler refuses everything until it is told otherwise. */
      const refusing = async () => {
        const { log, dead } = deadLog();
        const bus = await started({ retryDelaysMs: [], log });
        const calls = new Journal<Call>();
        const mood = { refuses: true };
        await listen(bus, group, `authorization.${own}`, (payload, context) => {
          if (mood.refuses) throw new Error('not today');
          calls.add({ payload, context });
        });
        const die = async (payload: unknown) => {
          await bus.publish(anEvent(`authorization.${own}`, payload));
          await dead.next();
        };
        return { bus, calls, mood, die, queues: [`${group}.authorization.${own}`] };
      };

      it('are counted and listed, and stay where they are', async () => {
        const { bus, die, queues } = await refusing();
        for (const name of ['a', 'b', 'c']) await die(name);
        expect(await bus.deadLetters.list(queues, 2)).toHaveLength(2);
        const letters = await bus.deadLetters.list(queues, 100);
        // The broker may put back in another order what was looked at.
        const payloads = letters.map(({ body }) => (JSON.parse(body) as { data: unknown }).data);
        expect(payloads.sort()).toEqual(['a', 'b', 'c']);
        expect(await bus.deadLetters.find(queues, letters[1]!.key)).toEqual(letters[1]);
        expect([...(await bus.deadLetters.count(queues))]).toEqual([[queues[0], 3]]);
        expect([...(await bus.deadLetters.count(['nobody.has.this']))]).toEqual([]);
        expect(await bus.deadLetters.list(['nobody.has.this'], 10)).toEqual([]);
      });

      it('are put back one by one, as new events, and the others stay', async () => {
        const { bus, calls, mood, die, queues } = await refusing();
        for (const name of ['a', 'b', 'c']) await die(name);
        const letters = await bus.deadLetters.list(queues, 10);
        const b = letters.find(({ body }) => body.includes('"data":"b"'))!;
        mood.refuses = false;
        expect(await bus.deadLetters.replay(queues, b.key)).toBe(true);
        const { payload, context } = await calls.next();
        expect([payload, context.attempt, context.event.id]).toEqual(['b', 1, b.id]);
        const left = await bus.deadLetters.list(queues, 10);
        expect(new Set(left.map(({ key }) => key))).toEqual(
          new Set(letters.filter((letter) => letter !== b).map(({ key }) => key)),
        );
        expect(await bus.deadLetters.replay(queues, b.key)).toBe(false);
      });

      it('are put back all together, once each although they die again', async () => {
        const { bus, calls, mood, die, queues } = await refusing();
        for (const name of ['a', 'b', 'c']) await die(name);
        expect(await bus.deadLetters.replayAll(queues, 2)).toEqual({ replayed: 2, left: 1 });
        while ((await bus.deadLetters.count(queues)).get(queues[0]!) !== 3) await new Promise(setImmediate);
        mood.refuses = false;
        expect(await bus.deadLetters.replayAll(queues, 100)).toEqual({ replayed: 3, left: 0 });
        expect((await calls.take(3)).map(({ payload }) => payload).sort()).toEqual(['a', 'b', 'c']);
        expect((await bus.deadLetters.count(queues)).get(queues[0]!)).toBe(0);
      });

      it('are dropped one by one', async () => {
        const { bus, die, queues } = await refusing();
        for (const name of ['a', 'b']) await die(name);
        const [a, b] = await bus.deadLetters.list(queues, 10);
        expect(await bus.deadLetters.drop(queues, a!.key)).toBe(true);
        expect(await bus.deadLetters.drop(queues, a!.key)).toBe(false);
        expect((await bus.deadLetters.list(queues, 10)).map(({ key }) => key)).toEqual([b!.key]);
      });
    });

    it('passes over events of a later version, and members that it does not know', async () => {
      const bus = await started({ retryDelaysMs: [] });
      const calls = new Journal<Call>();
      await listen(bus, group, `authorization.${own}`, intoJournal(calls));
      const later = anEvent(`authorization.${own}`, 'of tomorrow');
      await bus.publish({ ...later, event: { ...later.event, type: 'assent.authorization.requested.v2' } });
      const more = anEvent(`authorization.${own}`, 'of today');
      await bus.publish({ ...more, event: { ...more.event, later: true } as typeof more.event });
      expect((await calls.next()).payload).toBe('of today');
      expect(await bus.deadLetters.list([`${group}.authorization.${own}`], 1)).toEqual([]);
    });

    it('hands out copies: handlers and publisher share no object', async () => {
      const bus = await started();
      const calls = new Journal<Call>();
      const mutate: Handler = (payload, context) => {
        calls.add({ payload: structuredClone(payload), context });
        (payload as { list: string[] }).list.push('mine');
      };
      await listen(bus, group, `authorization.${own}`, mutate);
      await listen(bus, `${group}-other`, `authorization.${own}`, mutate);
      const data = { list: ['sent'], when: new Date(0), nothing: undefined };
      await bus.publish(anEvent(`authorization.${own}`, data));
      data.list.push('changed after publishing');

      const wire = { list: ['sent'], when: '1970-01-01T00:00:00.000Z' };
      expect((await calls.take(2)).map((each) => each.payload)).toEqual([wire, wire]);
      expect(data.list).toEqual(['sent', 'changed after publishing']);
    });

    describe('closing a consumer', () => {
      it('waits for the handlers at work, whose events then are done with', async () => {
        const bus = await started();
        const begun = new Journal<Call>();
        let finish = (): void => {};
        const finished = new Promise<void>((resolve) => (finish = resolve));
        const transport = await listen(bus, group, `authorization.${own}`, async (payload, context) => {
          begun.add({ payload, context });
          await finished;
        });
        await bus.publish(anEvent(`authorization.${own}`, 'first'));
        await begun.next();

        const order: string[] = [];
        const closing = transport.close().then(() => order.push('closed'));
        order.push('handler finishes');
        finish();
        await closing;
        expect(order).toEqual(['handler finishes', 'closed']);

        await bus.publish(anEvent(`authorization.${own}`, 'second'));
        const later = new Journal<Call>();
        await listen(world.process(), group, `authorization.${own}`, intoJournal(later));
        expect((await later.next()).payload).toBe('second');
        expect(later.unread + begun.unread).toBe(0);
      });

      it('may be done twice, before listening, and by the bus', async () => {
        const bus = await started();
        const transport = await listen(bus, group, `authorization.${own}`, () => {});
        await Promise.all([transport.close(), transport.close()]);
        await bus.consumer(group).close();
        await Promise.all([bus.close(), bus.close()]);
        expect(bus.status()).toEqual({ state: 'disconnected', problem: 'closed' });
        await expect(bus.publish(anEvent(`authorization.${own}`))).rejects.toThrow('closed');
      });
    });

    it('is connected, and says so', async () => {
      const bus = await started();
      await listen(bus, group, `authorization.${own}`, () => {});
      expect(bus.status()).toEqual({ state: 'connected', problem: null });
    });

    describe('refuses at start', () => {
      it.each([
        ['a pattern of no exchange', 'payment.made', {}, 'no event pattern'],
        ['a pattern of any exchange', '#', {}, 'no event pattern'],
        ['a broken pattern', 'decision..x', {}, 'no event pattern'],
        [
          'an unknown delivery',
          'decision.#',
          { delivery: 'somewhere' },
          'one-instance or every-instance or every-waiting-instance',
        ],
      ])('%s', (_, pattern, extras, problem) => {
        const transport = world.process().consumer(group);
        expect(() => transport.addHandler(pattern, async () => {}, true, extras)).toThrow(problem);
      });

      it('two handlers for one pattern, and handlers that answer', () => {
        const transport = world.process().consumer(group);
        transport.addHandler('decision.#', async () => {}, true);
        expect(() => transport.addHandler('decision.#', async () => {}, true)).toThrow('two handlers');
        expect(() => transport.addHandler('decision.x', async () => {})).toThrow('only @EventPattern');
      });

      it.each(['', 'Worker', 'a.b', 'a b', 'a-'])('the consumer name "%s"', (name) => {
        expect(() => world.process().consumer(name)).toThrow('no consumer name');
      });
    });

    it('serves ordinary Nest controllers', async () => {
      const { log, dead } = deadLog();
      const bus = await started({ log });
      const calls = new Journal<Call>();
      const hints = new Journal<unknown>();

      @Controller()
      class Listener {
        @EventPattern<string>(`authorization.${own}.*`)
        async onRequest(@Payload() payload: unknown, @Ctx() context: EventContext): Promise<void> {
          calls.add({ payload, context });
          if (payload === 'bad') throw new GiveUp('not this one');
        }

        @EventPattern<string>(`authorization.${own}.#`, { delivery: 'every-instance' })
        onHint(@Payload() payload: unknown): void {
          hints.add(payload);
        }
      }
      class Module {}
      const module = { module: Module, controllers: [Listener] };
      const options = { strategy: bus.consumer(group), logger: false as const };
      const service = await NestFactory.createMicroservice<MicroserviceOptions>(module, options);
      service.useGlobalFilters(new KeepError());
      await service.listen();
      await bus.whenConnected();
      const sent = anEvent(`authorization.${own}.requested`, 'good');
      await bus.publish(sent);
      await bus.publish(anEvent(`authorization.${own}.requested`, 'bad'));

      const [good] = await calls.take(2);
      expect(good!.payload).toBe('good');
      expect(good!.context.event).toEqual(sent.event);
      expect(await hints.take(2)).toEqual(['good', 'bad']);
      expect((await dead.next()).reason).toBe('GiveUp: not this one');
      await service.close();
    });
  });
}
