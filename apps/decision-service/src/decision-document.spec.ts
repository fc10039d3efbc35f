import { describe, expect, it } from '@jest/globals';
import { decision as decisionSchema } from '#lib/contracts';
import {
  defaultRejectionHandlers,
  outcomes,
  ruleDefaults,
  type RejectionHandlerDefinition,
  type RuleDefinition,
} from '#lib/domain';
import { decisionDocument } from './decision-document.js';
import type { EndedRequest } from './ended-request.js';

const id = (last: string) => `01890000-0000-7000-8000-0000000000${last}`;
const chosen = { deny: id('d1'), timeout: id('d2'), error: id('d3') };

const template = (text: string, contentType = 'application/json'): RejectionHandlerDefinition => ({
  type: 'error-template',
  status: 403,
  contentType,
  template: text,
});
const handlers = (...list: Array<readonly [string, string, RejectionHandlerDefinition]>): EndedRequest['handlers'] =>
  new Map(list.map(([handlerId, name, definition]) => [handlerId, { id: handlerId, name, definition }]));
const standard = [
  defaultRejectionHandlers.api,
  'Default API Rejection Handler',
  template('{"outcome":"{{outcome}}","reason":"{{reason}}"}'),
] as const;

const definition: RuleDefinition = {
  name: 'Pay',
  ...ruleDefaults,
  tokenProviderId: id('01'),
  clientId: 'client',
  clientCredentials: { type: 'secret', method: null },
  loginHintAttribute: 'email',
};

/** A request that ended; say only what the test is about. */
const anEndedRequest = (over: Partial<EndedRequest> = {}): EndedRequest => ({
  requestId: id('0a'),
  outcome: 'denied',
  decided: false,
  reason: null,
  providerError: null,
  evidence: null,
  endedAt: new Date('2026-03-01T12:00:00.123Z'),
  rule: { id: id('0b'), name: 'Pay', version: 3 },
  definition,
  bindingMessage: 'Pay 10.00 EUR',
  requestHash: 'hash',
  metadata: { order: '4711' },
  callbackUrl: null,
  expiresAt: new Date('2026-03-01T12:02:00.000Z'),
  handlers: handlers(standard),
  ...over,
});
const evidence = {
  issuer: 'https://op.example',
  subject: 'alice',
  acr: null,
  amr: ['hwk'],
  authTime: null,
  idTokenSha256: 'hash',
};

describe('the decision document', () => {
  it.each(outcomes)('keeps to its contract when the request is %s', (outcome) => {
    const document = decisionDocument(id('0d'), anEndedRequest({ outcome, evidence }));

    expect(decisionSchema.parse(document)).toEqual(document);
    expect(document).toMatchObject({
      id: id('0d'),
      authorizationRequestId: id('0a'),
      outcome,
      decidedAt: '2026-03-01T12:00:00.123Z',
      rule: { id: id('0b'), name: 'Pay', version: 3 },
      requestHash: 'hash',
      metadata: { order: '4711' },
      receipt: null,
    });
  });

  it('shows evidence for an approval only', () => {
    const shown = outcomes.filter(
      (outcome) => decisionDocument(id('0d'), anEndedRequest({ outcome, evidence })).evidence !== null,
    );

    expect(shown).toEqual(['approved']);
  });

  it('names reason and error of the provider', () => {
    const providerError = { code: 'invalid_scope', description: 'no' };
    const request = anEndedRequest({ outcome: 'failed', reason: 'provider_rejected', providerError });

    expect(decisionDocument(id('0d'), request)).toMatchObject({ reason: 'provider_rejected', providerError });
  });
});

describe('the rejection', () => {
  const rejection = (over: Partial<EndedRequest>) => decisionDocument(id('0d'), anEndedRequest(over)).rejection;
  const chooses: RuleDefinition = {
    ...definition,
    denyRejectionHandlerId: chosen.deny,
    timeoutRejectionHandlerId: chosen.timeout,
    errorRejectionHandlerId: chosen.error,
  };
  const allHandlers = handlers(
    standard,
    [chosen.deny, 'No', template('deny {{requestId}}', 'text/plain')],
    [chosen.timeout, 'Late', { type: 'redirect', status: 303, url: '/late' }],
    [chosen.error, 'Oops', template('<p>{{bindingMessage}} {{ruleName}}</p>', 'text/html')],
  );

  it.each([
    ['denied', 'No', { status: 403, headers: { 'content-type': 'text/plain' }, body: `deny ${id('0a')}` }],
    ['expired', 'Late', { status: 303, headers: { location: '/late' } }],
    ['failed', 'Oops', { status: 403, headers: { 'content-type': 'text/html' }, body: '<p>Pay 10.00 EUR Pay</p>' }],
  ] as const)('of a request that is %s is rendered by the rule\'s handler "%s"', (outcome, name, response) => {
    const result = rejection({ outcome, definition: chooses, handlers: allHandlers });

    expect([result?.handler.name, result?.response]).toEqual([name, response]);
  });

  it.each(['approved', 'cancelled'] as const)('is null when the request is %s', (outcome) => {
    expect(rejection({ outcome, definition: chooses, handlers: allHandlers })).toBeNull();
  });

  it.each(['denied', 'expired', 'failed'] as const)(
    'is by the Default API handler when none is chosen: %s',
    (outcome) => {
      const result = rejection({ outcome });

      expect(result?.handler).toEqual({ id: defaultRejectionHandlers.api, name: 'Default API Rejection Handler' });
      expect(JSON.parse(result!.response.body!)).toEqual({ outcome, reason: '' });
    },
  );

  it('is by the Default API handler when the chosen one is gone', () => {
    expect(rejection({ definition: chooses })?.handler.id).toBe(defaultRejectionHandlers.api);
  });

  it('is by the Default API handler when the chosen one would grow without measure', () => {
    const greedy = handlers(standard, [
      chosen.deny,
      'Greedy',
      template('{{bindingMessage}}'.repeat(3000), 'text/html'),
    ]);
    const result = rejection({ definition: chooses, handlers: greedy, bindingMessage: '<'.repeat(200) });

    expect(result?.handler.id).toBe(defaultRejectionHandlers.api);
  });

  it('is a fault when there is no handler at all', () => {
    expect(() => rejection({ handlers: handlers() })).toThrow(/Default API/);
  });

  it('fills in every variable', () => {
    const text = [
      'requestId',
      'outcome',
      'reason',
      'ruleName',
      'bindingMessage',
      'expiresAt',
      'title',
      'header',
      'info',
    ]
      .map((name) => `{{${name}}}`)
      .join('|');
    const all = handlers([defaultRejectionHandlers.api, 'x', template(text, 'text/plain')]);
    const body = rejection({ outcome: 'failed', reason: 'unknown_user', handlers: all })!.response.body!;
    const values = body.split('|');

    expect(values.slice(0, 6)).toEqual([
      id('0a'),
      'failed',
      'unknown_user',
      'Pay',
      'Pay 10.00 EUR',
      '2026-03-01T12:02:00.000Z',
    ]);
    for (const value of values.slice(6)) expect(value).not.toBe('');
  });

  it('leaves nothing where there is nothing to tell', () => {
    const all = handlers([
      defaultRejectionHandlers.api,
      'x',
      template('{{reason}}|{{bindingMessage}}|{{expiresAt}}', 'text/plain'),
    ]);

    expect(rejection({ handlers: all, bindingMessage: null, expiresAt: null })?.response.body).toBe('||');
  });
});
