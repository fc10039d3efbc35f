import { randomUUID } from 'node:crypto';
import type { Chance } from '../answer-mutations.js';
import { parametersOf, routesOf, type ApiDescription, type FuzzRoute, type Operation } from './api-description.js';
import { brokenBodies, brokenQueries, hostileTexts } from './hostile-values.js';
import { SchemaValues, type Schema } from './schema-values.js';

/** What a call is meant to be; whether it is taken is the service's to say. */
export const callKinds = ['example', 'valid', 'near-valid', 'hostile', 'broken'] as const;
export type CallKind = (typeof callKinds)[number];

/** One call as it goes out. */
export interface FuzzCall {
  readonly kind: CallKind;
  readonly route: FuzzRoute;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Who calls: with every scope, and with those of an application. */
export interface FuzzKeys {
  readonly administrator: string;
  readonly application: string;
}

/** These wait for the outside, or stay open, when they know what they are asked about. */
const onlyUnknown = ['checkTokenProvider', 'streamAuthorizationRequest'];
/** The answer is always the same, or the machine is busy for long with it. */
const seldom =
  /^get(Metrics|OpenApi|AsyncApi|Console|Reference|Error|Event|Liveness|Readiness|Keys)|^(erasePerson|createKeyPair)$/;

/** Makes calls from the description of an API, by chance: fitting, nearly fitting, and hostile ones. */
export class FuzzCalls {
  private readonly callable: readonly FuzzRoute[];
  private readonly known = new Map<string, string[]>();

  constructor(
    private readonly description: ApiDescription,
    private readonly keys: FuzzKeys,
  ) {
    // Often what makes things, seldom what takes them away.
    this.callable = routesOf(description).flatMap((route) => Array.from({ length: weightOf(route) }, () => route));
  }

  /** An object that later calls may name; `collection` is the path that lists it. */
  remember(collection: string, id: string): void {
    this.known.set(collection, [...(this.known.get(collection) ?? []).slice(-40), id]);
  }

  next(chance: Chance): FuzzCall {
    const route = chance.pick(this.callable);
    const kind = chance.pick(callKinds);
    const values = new SchemaValues(this.description.components.schemas, chance);
    const content = route.operation.requestBody?.content['application/json'];
    const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => this.idFor(route, name, kind, chance));
    return {
      kind,
      route,
      path: path + this.query(route.operation, values, kind, chance),
      headers: this.headers(route, content !== undefined, kind, chance),
      body: content === undefined ? null : this.body(content, values, kind, chance),
    };
  }

  private body(
    content: { readonly schema: Schema; readonly examples?: Readonly<Record<string, { readonly value: unknown }>> },
    values: SchemaValues,
    kind: CallKind,
    chance: Chance,
  ): string {
    const value = (): unknown => {
      switch (kind) {
        case 'example':
          return structuredClone(chance.pick(Object.values(content.examples ?? {}))?.value) ?? {};
        case 'near-valid':
          return values.nearlyFitting(content.schema);
        case 'hostile':
          return values.hostile(content.schema);
        case 'valid':
        case 'broken':
          return values.fitting(content.schema);
      }
    };
    if (kind === 'broken' && chance.next() < 0.7) return chance.pick(brokenBodies);
    return JSON.stringify(this.referring(value(), chance)) ?? 'null';
  }

  /** Lets most references lead somewhere, and gives names that are not taken yet. */
  private referring(value: unknown, chance: Chance): unknown {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const copy = { ...(value as Record<string, unknown>) };
    const often = (member: string, text: () => string) => {
      if (typeof copy[member] === 'string' && chance.next() < 0.7) copy[member] = text();
    };
    for (const [member, collection] of Object.entries(references)) often(member, () => this.idOf(collection, chance));
    // An erasure of everybody whom the others ask about would leave nothing to look at.
    if (typeof copy['loginHint'] === 'string') copy['loginHint'] = `${randomUUID()}@example.com`;
    for (const member of ['name', 'alias']) often(member, () => `N ${randomUUID()}`);
    often('issuer', () => 'https://op.example');
    if (copy['attributes'] !== undefined && chance.next() < 0.7) copy['attributes'] = { email: 'alice@example.com' };
    return copy;
  }

  private headers(route: FuzzRoute, hasBody: boolean, kind: CallKind, chance: Chance): Record<string, string> {
    const headers: Record<string, string> = {};
    const harm = kind === 'hostile' || kind === 'broken';
    const credential = chance.next();
    if (!harm || credential < 0.7) headers['authorization'] = `Bearer ${this.keyFor(chance)}`;
    else if (credential < 0.95)
      headers['authorization'] = headerText(chance.pick([...hostileTexts, ...oddCredentials]));
    if (hasBody) {
      const odd = harm && chance.next() < 0.1;
      headers['content-type'] = odd
        ? headerText(chance.pick(['text/plain', 'application/xml', 'x', '']))
        : 'application/json';
    }
    for (const { name } of parametersOf(this.description, route.operation, 'header')) {
      if (chance.next() < 0.5) continue;
      const usual = !harm || chance.next() < 0.5;
      headers[name.toLowerCase()] = headerText(usual ? usualHeader(name, chance) : chance.pick(hostileTexts));
    }
    return headers;
  }

  private query(operation: Operation, values: SchemaValues, kind: CallKind, chance: Chance): string {
    const members: string[] = [];
    for (const { name, schema } of parametersOf(this.description, operation, 'query')) {
      // Nobody waits here.
      if (name === 'wait' || chance.next() < 0.6) continue;
      const fits = kind !== 'hostile' && kind !== 'broken' && chance.next() < 0.8;
      members.push(`${name}=${encoded(fits ? asText(values.fitting(schema)) : chance.pick(hostileTexts))}`);
    }
    if (kind === 'broken' && chance.next() < 0.3) members.push(chance.pick(brokenQueries));
    return members.length === 0 ? '' : `?${members.join('&')}`;
  }

  private idFor(route: FuzzRoute, name: string, kind: CallKind, chance: Chance): string {
    if (name === 'code') return chance.next() < 0.5 ? 'not_found' : encoded(chance.pick(hostileTexts)) || 'x';
    const knows = !onlyUnknown.includes(route.operation.operationId);
    const usual = kind === 'hostile' || kind === 'broken' ? 0.6 : 0.9;
    const collection = name === 'deliveryId' ? 'deliveries' : route.path.slice(0, route.path.indexOf('/{'));
    if (knows && chance.next() < usual) return this.idOf(collection, chance);
    return chance.next() < 0.5 ? randomUUID() : encoded(chance.pick(hostileTexts)) || '%20';
  }

  private idOf(collection: string, chance: Chance): string {
    return chance.pick(this.known.get(collection) ?? [randomUUID()]);
  }

  private keyFor(chance: Chance): string {
    return chance.next() < 0.85 ? this.keys.administrator : this.keys.application;
  }
}

const references = {
  tokenProviderId: '/v1/token-providers',
  keyPairId: '/v1/key-pairs',
  rule: '/v1/rules',
  timeoutRejectionHandlerId: '/v1/rejection-handlers',
  denyRejectionHandlerId: '/v1/rejection-handlers',
  errorRejectionHandlerId: '/v1/rejection-handlers',
};

const oddCredentials = [
  'Bearer ',
  'Basic YTpi',
  `Bearer assent_${'x'.repeat(43)}`,
  'Bearer a.b.c',
  'Bearer eyJhbGciOiJub25lIn0.e30.',
];

function weightOf({ method, operation: { operationId } }: FuzzRoute): number {
  if (seldom.test(operationId)) return 1;
  return method === 'DELETE' ? 2 : method === 'GET' ? 6 : 10;
}

function usualHeader(name: string, chance: Chance): string {
  switch (name) {
    case 'If-Match':
    case 'If-None-Match':
      return chance.pick(['"1"', '"2"', '*', 'W/"1"', '"1", "2"', '1']);
    case 'Prefer':
      return chance.pick(['wait=0', 'respond-async', 'wait=-1', 'wait=x', 'wait="0"', 'wait']);
    case 'traceparent':
      return '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    default:
      return `k-${chance.below(50)}`;
  }
}

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
// What no client can send in a header, nobody has to answer.
const headerText = (text: string): string => text.replace(/[^\t\u0020-\u007e\u0080-\u00ff]/g, '').slice(0, 4_000);
const encoded = (text: string): string => encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '')).slice(0, 4_000);
