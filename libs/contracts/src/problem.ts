import { z } from 'zod';
import { rejection } from './decision.js';

/** An error answer (RFC 9457, `application/problem+json`). */
export const problem = z
  .strictObject({
    type: z.string().meta({ description: 'An address that explains this kind of problem.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What happened and what to do next.' }),
    code: z.string().meta({ description: 'A stable code for programs.' }),
    instance: z.string().optional(),
    errors: z
      .array(
        z.strictObject({
          pointer: z.string().meta({ description: 'JSON pointer (RFC 6901) into the request body.' }),
          code: z.string(),
          detail: z.string(),
        }),
      )
      .optional(),
    /** Of a refusal for asking too often: what the caller may pass on to its user. */
    rejection: rejection.optional(),
    /** Who uses what cannot be deleted. */
    users: z.array(z.strictObject({ kind: z.string(), id: z.string(), name: z.string() })).optional(),
    /** Of the console, where nobody is logged in: the ways in. */
    login: z.strictObject({ oidc: z.boolean(), key: z.literal(true) }).optional(),
  })
  .meta({ id: 'Problem', description: 'An error answer (RFC 9457).' });
export type Problem = z.infer<typeof problem>;

/** Every code that an answer of Assent can carry: title and HTTP status. Programs rely on them. */
export const problems = {
  malformed_body: { status: 400, title: 'The body is not valid JSON' },
  malformed_request: { status: 400, title: 'The request is malformed' },
  invalid_parameter: { status: 400, title: 'A parameter is not valid' },
  invalid_if_match: { status: 400, title: 'If-Match is malformed' },
  invalid_idempotency_key: { status: 400, title: 'Idempotency-Key is malformed' },
  invalid_cursor: { status: 400, title: 'The cursor is not valid' },
  unauthenticated: { status: 401, title: 'No valid credentials' },
  insufficient_scope: { status: 403, title: 'The credentials lack a scope' },
  rule_not_allowed: { status: 403, title: 'The API client may not use this rule' },
  subject_not_allowed: { status: 403, title: 'The API client may not have this person asked' },
  csrf_token_missing: { status: 403, title: 'The CSRF token is missing or wrong' },
  cross_site_call: { status: 403, title: 'The call comes from another site' },
  insecure_transport: { status: 403, title: 'The call is not encrypted' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  already_decided: { status: 409, title: 'The request has already ended' },
  already_consumed: { status: 409, title: 'The approval has already been used' },
  not_approved: { status: 409, title: 'The request is not approved' },
  approval_lapsed: { status: 409, title: 'The approval has lapsed' },
  request_mismatch: { status: 409, title: 'This is not what was approved' },
  in_use: { status: 409, title: 'In use' },
  predefined: { status: 409, title: 'Predefined, cannot be changed' },
  name_taken: { status: 409, title: 'The name is taken' },
  requests_open: { status: 409, title: 'Requests have not ended' },
  rule_disabled: { status: 409, title: 'The rule is disabled' },
  webhook_endpoint_disabled: { status: 409, title: 'The webhook endpoint is disabled' },
  version_mismatch: { status: 412, title: 'Changed in the meantime' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  invalid_body: { status: 422, title: 'The body is not valid' },
  unknown_rule: { status: 422, title: 'Unknown rule' },
  login_hint_missing: { status: 422, title: 'The login hint attribute is missing' },
  callback_url_refused: { status: 422, title: 'The callback address is refused' },
  unknown_reference: { status: 422, title: 'A referenced object does not exist' },
  invalid_key_pair: { status: 422, title: 'The key pair is not usable' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used for another body' },
  prompt_limit: { status: 429, title: 'Asked too often' },
  too_many_calls: { status: 429, title: 'Too many calls' },
  internal_error: { status: 500, title: 'Unexpected error' },
  issuer_unavailable: { status: 503, title: 'The issuer of the access token is not available' },
  decision_pending: { status: 503, title: 'The decision is being written' },
  busy: { status: 503, title: 'Too busy' },
  broker_unavailable: { status: 503, title: 'The broker is not available' },
  database_unavailable: { status: 503, title: 'The database is not available' },
  starting: { status: 503, title: 'Not started yet' },
  shutting_down: { status: 503, title: 'Shutting down' },
} as const satisfies Record<string, { status: number; title: string }>;
export type ProblemCode = keyof typeof problems;

/** The `type` of a problem document: the path of a page that explains it. */
export const problemType = (code: ProblemCode): string => `/docs/errors/${code}`;
