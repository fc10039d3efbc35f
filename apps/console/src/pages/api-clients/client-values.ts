import type { ApiClient, apiClientBody, Scope } from '#lib/contracts';
import type { z } from 'zod';

export type ClientInput = z.input<typeof apiClientBody>;

/** An API client as its form holds it. */
export interface ClientValues {
  name: string;
  scopes: Scope[];
  enabled: boolean;
  allRules: boolean;
  rules: string[];
  /** JSON; empty: everybody. */
  subjects: string;
  requestsPerMinute: number | string;
  /** A day in the browser's time zone (`2026-03-01`); empty: never. */
  expiresOn: string;
  oauthIssuer: string;
  oauthClientId: string;
  callbackSecret: boolean;
}

export const newClientValues: ClientValues = {
  name: '',
  scopes: ['requests:write', 'requests:read'],
  enabled: true,
  allRules: true,
  rules: [],
  subjects: '',
  requestsPerMinute: '',
  expiresOn: '',
  oauthIssuer: '',
  oauthClientId: '',
  callbackSecret: false,
};

/** The day of an instant, in the browser's time zone. */
const dayOf = (at: string): string => {
  const date = new Date(at);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
};

/** The end of a day in the browser's time zone; what is no day stays, for the schema to refuse. */
export function endOfDay(day: string): string {
  const end = new Date(`${day}T23:59:59.999`);
  return Number.isNaN(end.getTime()) ? day : end.toISOString();
}

export const clientValuesOf = (client: ApiClient): ClientValues => ({
  name: client.name,
  scopes: [...client.scopes],
  enabled: client.enabled,
  allRules: client.rules === null,
  rules: [...(client.rules ?? [])],
  subjects: client.subjects === null ? '' : JSON.stringify(client.subjects, null, 2),
  requestsPerMinute: client.requestsPerMinute ?? '',
  expiresOn: client.expiresAt === null ? '' : dayOf(client.expiresAt),
  oauthIssuer: client.oauthClient?.issuer ?? '',
  oauthClientId: client.oauthClient?.clientId ?? '',
  callbackSecret: client.hasCallbackSecret,
});

function subjectsOf(text: string): ClientInput['subjects'] {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text) as ClientInput['subjects'];
  } catch {
    return text as unknown as ClientInput['subjects'];
  }
}

/** The members that can change; a day that was not touched keeps its hour. */
export const clientChangeOf = (
  values: ClientValues,
  stored: ApiClient | null,
): Omit<ClientInput, 'callbackSecret'> => ({
  name: values.name,
  scopes: values.scopes,
  enabled: values.enabled,
  rules: values.allRules ? null : values.rules,
  subjects: subjectsOf(values.subjects),
  requestsPerMinute: values.requestsPerMinute === '' ? null : (values.requestsPerMinute as number),
  expiresAt:
    values.expiresOn === ''
      ? null
      : stored?.expiresAt && dayOf(stored.expiresAt) === values.expiresOn
        ? stored.expiresAt
        : endOfDay(values.expiresOn),
  oauthClient:
    values.oauthIssuer === '' && values.oauthClientId === ''
      ? null
      : { issuer: values.oauthIssuer, clientId: values.oauthClientId },
});

/** The field that shows a member of the body. */
export function clientField(pointer: string): string | null {
  const [, member = '', inner] = pointer.split('/');
  if (member === 'oauthClient') return inner === 'clientId' ? 'oauthClientId' : 'oauthIssuer';
  if (member === 'expiresAt') return 'expiresOn';
  return Object.hasOwn(newClientValues, member) ? member : null;
}

const memberNames: Readonly<Record<string, string>> = {
  name: 'Name',
  scopes: 'Scopes',
  enabled: 'Enabled',
  rules: 'Rules',
  subjects: 'People',
  requestsPerMinute: 'Requests per Minute',
  expiresAt: 'Key Ends On',
  oauthClient: 'OAuth Client',
};

/** What a member of an API client is called in its form. */
export const labelOfClientMember = (member: string): string => memberNames[member] ?? member;
