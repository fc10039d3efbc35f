import type { ProblemCode } from './problem.js';

/** For the error catalogue: when a code is answered, and what to do then. */
export interface ProblemAdvice {
  readonly when: string;
  readonly remedy: string;
}

export const problemAdvice: Readonly<Record<ProblemCode, ProblemAdvice>> = {
  malformed_body: {
    when: 'The body is not JSON.',
    remedy: 'Send valid JSON in UTF-8; `detail` says where reading stopped, if that can be told.',
  },
  malformed_request: { when: 'The address or a header cannot be read.', remedy: 'Check the path and its escapes.' },
  invalid_parameter: {
    when: 'A parameter of the path or the query has a wrong value.',
    remedy: '`errors` names each one and what it must be.',
  },
  invalid_if_match: {
    when: '`If-Match` is not an ETag of this resource.',
    remedy: 'Send the `ETag` of the last answer exactly as it came, quotes included.',
  },
  invalid_idempotency_key: {
    when: 'The `Idempotency-Key` is empty, too long or has unprintable characters.',
    remedy: 'Send 1 to 255 printable ASCII characters, for example a UUID.',
  },
  invalid_cursor: {
    when: 'The `cursor` was not made by this list.',
    remedy: 'Use `nextCursor` of the page before, unchanged and with the same filters; or start again without one.',
  },
  unauthenticated: {
    when: 'There is no API key or access token, nobody has that one, it has ended, or its client is stopped.',
    remedy:
      'Send `Authorization: Bearer <API key>`, or a fresh access token of a trusted issuer: `typ` `at+jwt`, the right ' +
      '`aud`, no more than an hour to live, and a client that an API client names in `oauthClient`.',
  },
  insufficient_scope: {
    when: 'The credentials are known, but lack the scope that this route needs.',
    remedy:
      'Use a key with the scope that `detail` names; of an access token count the scopes that its API client has too.',
  },
  rule_not_allowed: {
    when: 'The API client is limited to other rules; whether this one exists is not said.',
    remedy: 'Use a rule that the client may use, or let an administrator add it to its `rules`.',
  },
  subject_not_allowed: {
    when: 'The API client is limited to other people; whether the provider knows this one is not said.',
    remedy: 'Let an administrator change the `subjects` of the client. Nothing was stored and nobody was asked.',
  },
  csrf_token_missing: {
    when: 'A call with the session of the console changes something, and its `x-csrf-token` is not that of the session.',
    remedy: 'Send the `csrfToken` that `GET /console/api/session` answers; programs use an API key and need none.',
  },
  cross_site_call: {
    when: 'A page of another site makes a call with the session of the console.',
    remedy: 'Open the console itself. Programs use an API key.',
  },
  insecure_transport: {
    when: 'A token provider tells something over plain http.',
    remedy:
      'Register an https address as the notification endpoint; behind a proxy that ends TLS, let the operator name the ' +
      'proxy in `ASSENT_TRUSTED_PROXIES`.',
  },
  not_found: {
    when: 'There is no such thing, or it belongs to another API client.',
    remedy: 'Check the id and the key.',
  },
  method_not_allowed: {
    when: 'The path exists, and takes other methods.',
    remedy: 'Use one of those that the header `Allow` names; see the reference.',
  },
  already_decided: {
    when: 'The request has ended, so it cannot be cancelled any more.',
    remedy: 'Read the request: its decision is final.',
  },
  already_consumed: {
    when: 'Somebody has used this approval before.',
    remedy: 'Do not carry out the operation. Ask for a new approval if it is to happen once more.',
  },
  not_approved: {
    when: 'The request is still open, or it ended otherwise.',
    remedy: 'Do not carry out the operation. Wait for the decision, or ask anew.',
  },
  approval_lapsed: {
    when: 'The approval is older than the rule allows (`consumeWithinSeconds`).',
    remedy: 'Ask for a new approval and use it right after it was given.',
  },
  request_mismatch: {
    when: 'The `attributes` differ from those that the person approved.',
    remedy: 'Do not carry out the operation: it is not the one that was approved.',
  },
  in_use: {
    when: 'Something else refers to what is to be deleted.',
    remedy: '`users` names who does; change or delete them first.',
  },
  predefined: {
    when: 'The rejection handler belongs to Assent.',
    remedy: 'Create one of your own and choose it in the rule.',
  },
  name_taken: { when: 'Another one has this name.', remedy: 'Choose a different name.' },
  requests_open: {
    when: 'A person is to be erased whose requests have not ended.',
    remedy: 'Wait until they have, or say `"open": "cancel"` to have them withdrawn. Nothing was erased.',
  },
  rule_disabled: { when: 'The rule is switched off.', remedy: 'Enable it, or use another rule.' },
  webhook_endpoint_disabled: {
    when: 'Something is to be delivered to a webhook endpoint that is disabled.',
    remedy: 'Enable it first: `PATCH` with `{"enabled": true}`.',
  },
  version_mismatch: {
    when: 'Somebody changed it since the `ETag` that `If-Match` names.',
    remedy: 'Read it again, apply the change to what is there now, and send the new `ETag`.',
  },
  body_too_large: { when: 'The body is larger than the route accepts.', remedy: 'Send less.' },
  unsupported_media_type: {
    when: 'The body is not JSON by its type.',
    remedy: 'Send `Content-Type: application/json`.',
  },
  invalid_body: {
    when: 'The body does not fit the schema; unknown members are refused too.',
    remedy: '`errors` points at each member and says what it must be.',
  },
  unknown_rule: { when: 'No rule has this id or name.', remedy: 'List the rules; names count letter by letter.' },
  login_hint_missing: {
    when: 'The attribute that names the person is missing or empty.',
    remedy: 'Send the attribute that the rule names in `loginHintAttribute`.',
  },
  callback_url_refused: {
    when: 'The address is not https, or lies in a network that Assent must not call.',
    remedy:
      'Give a public https address, or let the operator allow the network (`ASSENT_ALLOWED_NETWORKS`) or the port (`ASSENT_ALLOWED_PORTS`).',
  },
  unknown_reference: {
    when: 'An id in the body names nothing.',
    remedy: '`errors` points at the member; create what it names first.',
  },
  invalid_key_pair: {
    when: 'Certificate and key cannot be read or do not belong together.',
    remedy: '`detail` says what is wrong; check format, password and chain.',
  },
  idempotency_key_reused: {
    when: 'The same `Idempotency-Key` came before with another body.',
    remedy: 'Use a new key for a new operation, and the same body for a repetition.',
  },
  prompt_limit: {
    when: 'This person has been asked too often lately or has just said no twice, or the client or the rule is over its limit.',
    remedy: 'Wait as long as `Retry-After` says. Nothing was stored and nobody was asked.',
  },
  too_many_calls: {
    when: 'Notifications whose token does not fit come too often from one address, or one token is used too often.',
    remedy: 'Wait as long as `Retry-After` says.',
  },
  internal_error: {
    when: 'Something that we did not expect; the log has it.',
    remedy: 'Try again later, with the same `Idempotency-Key`.',
  },
  issuer_unavailable: {
    when: 'An access token cannot be judged, because the keys of its issuer cannot be had.',
    remedy:
      'Try again after `Retry-After`; let the operator see that Assent reaches the issuer. API keys work meanwhile.',
  },
  decision_pending: {
    when: 'The request has ended and its decision is being written.',
    remedy: 'Ask again in a moment.',
  },
  busy: { when: 'More work has arrived than can be taken.', remedy: 'Ask again as `Retry-After` says.' },
  broker_unavailable: {
    when: 'RabbitMQ does not answer, or takes no messages just now.',
    remedy: 'Try again in a moment; what was not moved is where it was.',
  },
  database_unavailable: {
    when: 'The database does not answer, or somebody holds a lock in it. Nothing was accepted.',
    remedy: 'Try again in a moment, with the same `Idempotency-Key`.',
  },
  starting: {
    when: 'This instance waits for something that it needs; `/health/ready` says for what.',
    remedy: 'Try again in a moment.',
  },
  shutting_down: { when: 'This instance is stopping.', remedy: 'Try again: another one answers.' },
};
