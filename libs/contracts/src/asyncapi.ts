import { authorizationEvents, authorizationFact, eventType, exchanges } from './authorization.events.js';
import { cloudEvent } from './cloud-event.js';
import { decision } from './decision.js';
import { approvedDecision, decisionExamples, noticeExamples } from './examples.js';
import { SchemaCollection, type JsonSchema } from './json-schema.js';
import { assentVersion } from './version.js';
import { decisionEventTypes, noticeTypes, type DecisionEventType, type NoticeType } from './webhook-endpoints.http.js';
import { noticeEnvelope, noticeSummaries } from './webhook-notices.js';

/** The messages on RabbitMQ as an AsyncAPI 3.0 document, made from the schemas. */
export function asyncApi(): JsonSchema {
  const schemas = new SchemaCollection();
  const fact = schemas.add(authorizationFact, 'output');
  const decided = schemas.add(decision, 'output');
  const envelope = schemas.add(cloudEvent, 'output');
  const messages = {
    ...Object.fromEntries(
      Object.values(authorizationEvents).map((key) => [key, message(key, envelope, fact, factExample(key))]),
    ),
    ...Object.fromEntries(
      decisionEventTypes.map((key) => [key, message(key, envelope, decided, decisionExample(key))]),
    ),
    ...Object.fromEntries(noticeTypes.map((type) => [type, notice(type, schemas)])),
  };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Assent',
      version: assentVersion,
      description:
        'The events of Assent: CloudEvents 1.0 in structured mode (`application/cloudevents+json`) on topic exchanges ' +
        'of RabbitMQ. Bind a queue of your own to `assent.decisions` with `decision.#`, or with single routing keys. ' +
        'Every event is delivered at least once; its `id` stays the same over redelivery. ' +
        '`assent.authorizations` is how the services talk to each other; it may change with any version.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/cloudevents+json',
    channels: {
      authorizations: channel(exchanges.authorizations, 'authorization', Object.values(authorizationEvents), {
        title: 'What happened to a request (internal)',
        parameter: 'fact',
        meaning: 'What happened.',
      }),
      decisions: channel(exchanges.decisions, 'decision', decisionEventTypes, {
        title: 'Decisions (for subscribers)',
        parameter: 'outcome',
        meaning: 'How the request ended.',
      }),
      notices: {
        address: null,
        title: 'Notices (for webhook endpoints)',
        description:
          'What administrators should know, sent to the webhook endpoints that chose it, signed and retried like a decision; ' +
          'not on RabbitMQ.',
        messages: Object.fromEntries(noticeTypes.map((type) => [type, { $ref: `#/components/messages/${type}` }])),
      },
    },
    operations: {
      publishAuthorizationFacts: {
        action: 'send',
        channel: { $ref: '#/channels/authorizations' },
        summary: 'A service tells the others that a request has moved on.',
      },
      publishDecisions: {
        action: 'send',
        channel: { $ref: '#/channels/decisions' },
        summary: 'The decision service tells everybody the one decision.',
      },
      sendNotices: {
        action: 'send',
        channel: { $ref: '#/channels/notices' },
        summary: 'The decision service tells webhook endpoints what administrators should know.',
        bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } },
      },
    },
    components: { messages, schemas: schemas.sorted() },
  };
}

function channel(
  exchange: string,
  prefix: string,
  keys: readonly string[],
  text: { title: string; parameter: string; meaning: string },
): JsonSchema {
  return {
    address: `${prefix}.{${text.parameter}}`,
    title: text.title,
    description: `Topic exchange \`${exchange}\`; the address is the routing key.`,
    parameters: {
      [text.parameter]: { description: text.meaning, enum: keys.map((key) => key.slice(prefix.length + 1)) },
    },
    messages: Object.fromEntries(keys.map((key) => [key, { $ref: `#/components/messages/${key}` }])),
    bindings: {
      amqp: {
        is: 'routingKey',
        exchange: { name: exchange, type: 'topic', durable: true, autoDelete: false, vhost: '/' },
        bindingVersion: '0.3.0',
      },
    },
  };
}

function message(key: string, envelope: JsonSchema, payload: JsonSchema, example: JsonSchema): JsonSchema {
  return {
    name: key,
    title: eventType(key),
    contentType: 'application/cloudevents+json',
    payload: {
      allOf: [
        envelope,
        { type: 'object', properties: { type: { const: eventType(key) }, data: payload }, required: ['data'] },
      ],
    },
    examples: [{ name: key, payload: example }],
  };
}

const notice = (type: NoticeType, schemas: SchemaCollection): JsonSchema => ({
  name: type,
  title: type,
  summary: noticeSummaries[type],
  contentType: 'application/json',
  payload: schemas.add(noticeEnvelope(type), 'output'),
  examples: [{ name: type, payload: { type, timestamp: approvedDecision.decidedAt, data: noticeExamples[type] } }],
});

const decisionExample = (key: DecisionEventType): JsonSchema =>
  envelopeExample(key, '/assent/decision-service', approvedDecision.authorizationRequestId, decisionExamples[key]);

const statusOf = (key: string): string => {
  const fact = key.replace('authorization.', '');
  return fact === 'initiated' || fact === 'pinged' ? 'pending' : fact;
};

const factExample = (key: string): JsonSchema =>
  envelopeExample(key, '/assent/ciba-worker', approvedDecision.authorizationRequestId, {
    authorizationRequestId: approvedDecision.authorizationRequestId,
    status: statusOf(key),
    reason: key.endsWith('.failed') ? 'provider_error' : null,
    stateVersion: 2,
  });

function envelopeExample(key: string, source: string, subject: string, data: object): JsonSchema {
  return {
    specversion: '1.0',
    id: '01948b9e-a125-7f70-8c63-99e2c4131bd6',
    source,
    type: eventType(key),
    subject,
    time: approvedDecision.decidedAt,
    datacontenttype: 'application/json',
    data,
  };
}
