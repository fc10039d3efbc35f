import type { RuleRow } from '#lib/persistence';
import { v7 as newId } from 'uuid';
import { RecordDecision } from '../../apps/decision-service/src/record-decision.js';
import { Link } from '../chaos/fault-proxy.js';
import { subscribeToDecisions, type DecisionSubscription } from '../support/decision-subscription.js';
import { approve, aRule, pending } from '../support/postgres-builders.js';
import { freeConsecutivePorts } from '../support/rabbitmq-ports.js';
import { sharedRabbit, type BrokerAccess } from '../support/rabbitmq.js';
import { startWebhookSink, type WebhookSink } from '../support/webhook-sink.js';
import { Arrivals, eventually } from './arrivals.js';
import { deliveryPoints, type DeliveryPoint } from './delivery-points.js';
import { openHouse, type House } from './house.js';

const publicUrl = 'https://assent.example';

/** What there is of a request in the end, and what arrived of its decision. */
export interface Told {
  readonly decisions: number;
  /** Callbacks, and how many ids and bodies they had; the body holds the document that is stored. */
  readonly deliveries: number;
  readonly deliveryIds: number;
  readonly bodies: number;
  readonly asStored: boolean;
  readonly state: string;
  /** The same of the events that a subscriber received. */
  readonly events: number;
  readonly eventIds: number;
  readonly eventAsStored: boolean;
}

interface Made {
  readonly point: DeliveryPoint;
  readonly requestId: string;
}

/** One decision service after the other on one database and one broker: each is killed at a point or two. */
export class DeliveryHouse {
  /** Ids of events whose publication is not confirmed. */
  readonly #unconfirmed = new Map<string, () => void>();

  private constructor(
    private readonly house: House,
    private readonly rule: RuleRow,
    private readonly sink: WebhookSink,
    private readonly broker: BrokerAccess,
    private readonly subscription: DecisionSubscription,
    private readonly link: Link,
  ) {}

  static async open(): Promise<DeliveryHouse> {
    const broker = await sharedRabbit();
    const address = new URL(broker.url);
    // What the broker says of a publication stays away as soon as the publication has passed.
    let opened: DeliveryHouse | null = null;
    const watch = () => ({
      pass: (direction: 'up' | 'down', chunk: Buffer) => {
        if (direction === 'up') opened?.published(chunk);
        return chunk;
      },
    });
    const link = new Link('broker', Number(address.port), watch);
    await link.up(await freeConsecutivePorts(1));
    address.port = String(link.port);
    const house = await openHouse({
      service: 'decision-service',
      amqpUrl: address.href,
      env: { ASSENT_PUBLIC_URL: publicUrl },
    });
    await house.database.signingKeys.ensure();
    const rule = await aRule(house.database, { tokenProviderId: house.tokenProviderId, scopes: [] });
    const sink = await startWebhookSink();
    const subscription = await subscribeToDecisions(broker.url);
    return (opened = new DeliveryHouse(house, rule, sink, broker, subscription, link));
  }

  async close(): Promise<void> {
    await this.house.close();
    await this.subscription.stop();
    await this.link.down();
    await this.sink.stop();
    await this.broker.stop();
  }

  /** Kills one service after the other, each at its points, and lets the last one finish; what became of each point. */
  async live(life: readonly (readonly DeliveryPoint[])[]): Promise<Map<DeliveryPoint, Told>> {
    const all: Made[] = [];
    for (const points of life) all.push(...(await this.#killAt(points)));
    this.house.service.launch();
    const told = new Map<DeliveryPoint, Told>();
    for (const { point, requestId } of all) told.set(point, await this.#told(point, requestId));
    return told;
  }

  async #killAt(points: readonly DeliveryPoint[]): Promise<Made[]> {
    const { house } = this;
    const all = points.map((point): Made => ({ point, requestId: newId() }));
    const arrivals = new Arrivals(all.map(({ requestId }) => requestId));
    const [late, early] = [all.filter(isLate), all.filter((made) => !isLate(made))];
    for (const made of early) await this.#lieInWait(made, arrivals);
    house.service.launch();
    // A service that has published what the sweep found publishes the next event at once.
    for (const { requestId } of late.length > 0 ? early : []) await this.#eventOf(requestId);
    for (const made of late) await this.#lieInWait(made, arrivals);
    await arrivals.complete(() => {
      const missed = all.filter(({ requestId }) => !arrivals.has(requestId)).map(({ point }) => point);
      return `"${missed.join('" and "')}" was not reached:\n${house.output()}`;
    });
    await house.kill();
    this.link.poison({});
    await this.#letTimePass();
    return all;
  }

  async #lieInWait(made: Made, arrivals: Arrivals): Promise<void> {
    const { point, requestId } = made;
    const { stop } = deliveryPoints[point];
    const arrive = () => arrivals.add(requestId);
    if (isLate(made)) this.#stopSettling(made, arrive);
    else if (typeof stop === 'object' && stop.about === 'request') this.#stop(made, requestId, arrive);
    await this.#make(made);
    if (stop === 'receiver') {
      this.sink.answer(`/${requestId}`, 'hang');
      void this.sink.next(`/${requestId}`).then(arrive);
    } else if (stop === 'broker') {
      this.#unconfirmed.set(
        await this.#idOf('select event_id as id from decisions where request_id = $1', requestId),
        arrive,
      );
    } else if (stop.about === 'delivery') {
      this.#stop(made, await this.#idOf('select id from deliveries where request_id = $1', requestId), arrive);
    } else if (stop.about === 'event') {
      this.#stop(
        made,
        await this.#idOf('select event_id as id from decisions where request_id = $1', requestId),
        arrive,
      );
    } else if (stop.about === 'any' && !isLate(made)) {
      this.#stop(made, '', arrive);
    }
  }

  #stop({ point }: Made, about: string, arrive: () => void): void {
    const { stop } = deliveryPoints[point];
    if (typeof stop === 'string') throw new Error(point);
    const { statement, side } = stop;
    // The statement that marks what the sweep published names it twice; before, it is among what was claimed only.
    const times = stop.about === 'event' ? 2 : 1;
    this.house.barrier.stop({ statement, about: [about], times, side, then: 'wait', arrivals: { add: arrive } });
  }

  /** The id of an event that is published at once is known when it arrives. */
  #stopSettling(made: Made, arrive: () => void): void {
    const marks = deliveryPoints[made.point].arrives.exactly === 'events';
    const look = async () => {
      await this.#eventOf(made.requestId);
      if (marks) {
        const query =
          'select o.id from outbox o join decisions d on d.event_id = o.id where d.request_id = $1 and o.published_at is not null';
        await eventually(
          () => this.#find(query, made.requestId),
          () => `${made.requestId} is not marked`,
        );
      }
      arrive();
    };
    let looking = false;
    this.#stop(made, '', () => {
      if (looking) return;
      looking = true;
      // Whoever waits for the arrival hears that it does not come.
      void look().catch(() => undefined);
    });
  }

  /** A request that has ended, so long ago that the sweeps find it; half of them with a yes. */
  async #make({ point, requestId: id }: Made): Promise<void> {
    const { database, look } = this.house;
    const callbackUrl = `${this.sink.url}/${id}`;
    await pending(database, this.rule, { request: { id, callbackUrl } });
    const command = point.startsWith('event') ? approve() : ({ type: 'deny', providerError: null, polls: 1 } as const);
    const ended = await database.requests.change(id, command);
    if (ended.kind !== 'applied') throw new Error(ended.kind);
    await look.query(`update authorization_requests set ended_at = ended_at - interval '10 seconds' where id = $1`, [
      id,
    ]);
    // Nobody in this house takes them.
    await look.query(`update outbox set published_at = clock_timestamp() where exchange = 'assent.authorizations'`);
    if (deliveryPoints[point].made === 'ended') return;
    const record = new RecordDecision({ database, issuer: publicUrl, onRecorded: () => undefined });
    const outcome = await record.run(id, null);
    if (outcome !== 'recorded') throw new Error(outcome);
    await this.#letTimePass();
  }

  /** Leases of the dead are over, and what lies in the outbox has lain there for a while. */
  async #letTimePass(): Promise<void> {
    const { look } = this.house;
    await look.query(`update deliveries set lease_until = clock_timestamp() where lease_until is not null`);
    await look.query(`update outbox set created_at = created_at - interval '10 seconds' where published_at is null`);
  }

  /** A publication has passed. */
  published(chunk: Buffer): void {
    for (const [id, arrive] of this.#unconfirmed) {
      if (!chunk.includes(id)) continue;
      this.#unconfirmed.delete(id);
      this.link.poison({ holds: ['down'] });
      arrive();
    }
  }

  async #told(point: DeliveryPoint, requestId: string): Promise<Told> {
    const { deliveries, events } = deliveryPoints[point].arrives;
    const problem = () => `"${point}" is not told of as often as it should:\n${this.house.output()}`;
    const query = `select id from deliveries where request_id = $1 and state = 'delivered'`;
    await eventually(() => this.#find(query, requestId), problem);
    await eventually(async () => this.#eventsOf(requestId).length >= events || undefined, problem);
    const { rows } = await this.house.look.query<{
      document: string;
      event_id: string;
      state: string;
      unpublished: number;
    }>(
      `select d.document::text as document, d.event_id, v.state,
        (select count(*)::integer from outbox where id = d.event_id and published_at is null) as unpublished
       from decisions d join deliveries v on v.decision_id = d.id where d.request_id = $1`,
      [requestId],
    );
    const [stored] = rows;
    const sent = this.sink.received.filter(({ path }) => path === `/${requestId}`);
    const heard = this.#eventsOf(requestId);
    if (sent.length < deliveries) throw new Error(problem());
    return {
      decisions: rows.length,
      deliveries: sent.length,
      deliveryIds: new Set(sent.map(({ headers }) => headers['webhook-id'])).size,
      bodies: new Set(sent.map(({ body }) => body)).size,
      asStored: sent.every(({ body }) => body.endsWith(`"data":${stored!.document}}`)),
      state: stored!.state,
      events: heard.length,
      eventIds: new Set(heard.map(({ id }) => id)).size,
      eventAsStored: heard.every(
        ({ id, data }) => id === stored!.event_id && JSON.stringify(data) === stored!.document,
      ),
    };
  }

  #eventsOf(requestId: string) {
    return this.subscription.unread.filter(({ subject }) => subject === requestId);
  }

  async #eventOf(requestId: string): Promise<void> {
    await eventually(
      async () => this.#eventsOf(requestId).length > 0 || undefined,
      () => `No event of ${requestId} arrives:\n${this.house.output()}`,
    );
  }

  async #find(query: string, requestId: string): Promise<string | undefined> {
    const { rows } = await this.house.look.query<{ id: string }>(query, [requestId]);
    return rows[0]?.id;
  }

  async #idOf(query: string, requestId: string): Promise<string> {
    const id = await this.#find(query, requestId);
    if (id === undefined) throw new Error(`There is nothing of ${requestId}.`);
    return id;
  }
}

const isLate = ({ point }: Made): boolean => deliveryPoints[point].late === true;
