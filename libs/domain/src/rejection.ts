/** What the caller's user gets instead of the operation, when the person did not approve. */

import type { Outcome } from './authorization-request.js';

export const defaultRejectionHandlers = {
  web: '00000000-0000-7000-8000-000000000001',
  api: '00000000-0000-7000-8000-000000000002',
  rateLimiting: '00000000-0000-7000-8000-000000000003',
} as const;

export type RejectionHandlerDefinition =
  | {
      readonly type: 'error-template';
      readonly status: number;
      /** A media type; the escaping of the template's variables follows from it. */
      readonly contentType: string;
      readonly template: string;
    }
  | { readonly type: 'redirect'; readonly status: number; readonly url: string };

/** The names that a template may use, and nothing else. */
export const templateVariables = [
  'requestId',
  'outcome',
  'reason',
  'ruleName',
  'bindingMessage',
  'expiresAt',
  'title',
  'header',
  'info',
] as const;
export type TemplateVariable = (typeof templateVariables)[number];
export type TemplateValues = Readonly<Record<TemplateVariable, string>>;

/** A rendered body may have this many bytes; values can make a template much longer than it was written. */
export const maxRejectionBodyBytes = 65_536;

/** The response that the caller passes on; a redirect has no body. */
export interface RejectionResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Which of a rule's three handlers answers for an outcome; null where nothing is rejected. */
export function rejectionHandlerFor(
  outcome: Outcome,
  rule: {
    readonly timeoutRejectionHandlerId: string | null;
    readonly denyRejectionHandlerId: string | null;
    readonly errorRejectionHandlerId: string | null;
  },
): string | null {
  switch (outcome) {
    case 'denied':
      return rule.denyRejectionHandlerId ?? defaultRejectionHandlers.api;
    case 'expired':
      return rule.timeoutRejectionHandlerId ?? defaultRejectionHandlers.api;
    case 'failed':
      return rule.errorRejectionHandlerId ?? defaultRejectionHandlers.api;
    case 'approved':
    case 'cancelled':
      return null;
  }
}

const words: Readonly<Record<'denied' | 'expired' | 'failed', { title: string; header: string; info: string }>> = {
  denied: {
    title: 'Not approved',
    header: 'The request was not approved',
    info: 'The person who was asked, or the policy of the token provider, said no. Nothing was done.',
  },
  expired: {
    title: 'No answer in time',
    header: 'Nobody answered in time',
    info: 'The request for approval ran out before it was answered. Nothing was done; you can try again.',
  },
  failed: {
    title: 'Approval not possible',
    header: 'The approval could not be obtained',
    info: 'Something went wrong while asking for approval. Nothing was done; please try again later.',
  },
};

/** The texts that fit an outcome, for `title`, `header` and `info`. */
export const rejectionWords = (outcome: 'denied' | 'expired' | 'failed') => words[outcome];

/** Renders a handler for one request. Templates substitute and escape; they have no logic. */
export function renderRejection(handler: RejectionHandlerDefinition, values: TemplateValues): RejectionResponse {
  switch (handler.type) {
    case 'redirect':
      return { status: handler.status, headers: { location: handler.url } };
    case 'error-template':
      return {
        status: handler.status,
        headers: { 'content-type': handler.contentType },
        body: renderTemplate(handler.template, handler.contentType, values),
      };
  }
}

// Names that no variable has (`rule_name`, `rule.name`) are matched too, so that a slip is told when it is made.
const placeholder = /\{\{\s*([\w.$-]+)\s*\}\}/g;

/** The names in a template that are not variables; empty when the template is sound. */
export function unknownTemplateVariables(template: string): string[] {
  const known: readonly string[] = templateVariables;
  return [...new Set([...template.matchAll(placeholder)].map((m) => m[1]!).filter((name) => !known.includes(name)))];
}

function renderTemplate(template: string, contentType: string, values: TemplateValues): string {
  const escape = escapeFor(contentType);
  return template.replace(placeholder, (whole, name: string) =>
    Object.hasOwn(values, name) ? escape(values[name as TemplateVariable]) : whole,
  );
}

const mediaTypeOf = (contentType: string): string => contentType.split(';')[0]!.trim().toLowerCase();

/** True for media types whose documents are JSON (RFC 6839 §3.1). */
export function isJsonMediaType(contentType: string): boolean {
  const mediaType = mediaTypeOf(contentType);
  return mediaType === 'application/json' || mediaType === 'text/json' || mediaType.endsWith('+json');
}

/** The escaping that makes a value plain text inside a document of this media type. */
export function escapeFor(contentType: string): (value: string) => string {
  const mediaType = mediaTypeOf(contentType);
  if (isJsonMediaType(contentType)) return escapeJson;
  if (mediaType === 'text/plain') return (value) => value;
  // Whatever may be markup is escaped as markup: over-escaping shows, under-escaping runs.
  return escapeMarkup;
}

// A JSON string without its quotes; `<`, `>` and `&` too, for JSON that ends up inside a page.
const escapeJson = (value: string): string =>
  JSON.stringify(value)
    .slice(1, -1)
    .replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

// Backslash and braces too: inside a script that a template carries they would end a string or start an expression.
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
  '=': '&#61;',
  '\\': '&#92;',
  '{': '&#123;',
  '}': '&#125;',
};
const escapeMarkup = (value: string): string => value.replace(/[&<>"'`=\\{}]/g, (c) => entities[c]!);
