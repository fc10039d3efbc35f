import { ruleDefaults } from '#lib/domain';
import type { Rule, ruleBody } from '#lib/contracts';
import type { z } from 'zod';

export type RuleInput = z.input<typeof ruleBody>;

/** A choice that can be left to the other settings. */
type Unsaid = '' | 'yes' | 'no';

const promptLimitNames = ['outstanding', 'perFiveMinutes', 'perHour', 'coolDownSeconds', 'rulePerMinute'] as const;
export type PromptLimitName = (typeof promptLimitNames)[number];

/** A number field that may be empty; what is not a number stays as it was typed, and is refused where it stands. */
type NumberText = number | string;

/** A rule as its form holds it; empty stands for what is not said. */
export interface RuleValues {
  name: string;
  tokenProviderId: string;
  clientId: string;
  credentialsType: 'secret' | 'mutual-tls' | 'private-key-jwt';
  clientSecret: string;
  secretMethod: string;
  keyPairId: string;
  tlsMethod: string;
  loginHintAttribute: string;
  scopes: string[];
  bindingMessage: string;
  requestedExpirySeconds: NumberText;
  timeoutRejectionHandlerId: string;
  denyRejectionHandlerId: string;
  errorRejectionHandlerId: string;
  deliveryMode: string;
  hintKind: string;
  hintTemplate: string;
  subjectPolicy: string;
  subjectAttribute: string;
  acrValues: string[];
  authorizationDetails: string;
  extraParameters: Array<{ name: string; value: string }>;
  signedRequest: Unsaid | 'ES256' | 'PS256';
  fapi: boolean;
  dpop: Unsaid;
  releaseAccessToken: boolean;
  consumeWithinSeconds: NumberText;
  onInitiationUnknown: string;
  promptLimits: Record<PromptLimitName, NumberText>;
  joinIdentical: boolean;
  enabled: boolean;
}

/** What the form starts with. */
export const newRuleValues: RuleValues = {
  name: '',
  tokenProviderId: '',
  clientId: '',
  credentialsType: 'secret',
  clientSecret: '',
  secretMethod: '',
  keyPairId: '',
  tlsMethod: '',
  loginHintAttribute: '',
  scopes: [],
  bindingMessage: '',
  requestedExpirySeconds: '',
  timeoutRejectionHandlerId: '',
  denyRejectionHandlerId: '',
  errorRejectionHandlerId: '',
  deliveryMode: ruleDefaults.deliveryMode,
  hintKind: ruleDefaults.hintKind,
  hintTemplate: '',
  subjectPolicy: ruleDefaults.subjectPolicy,
  subjectAttribute: '',
  acrValues: [],
  authorizationDetails: '',
  extraParameters: [],
  signedRequest: '',
  fapi: ruleDefaults.fapi,
  dpop: '',
  releaseAccessToken: ruleDefaults.releaseAccessToken,
  consumeWithinSeconds: ruleDefaults.consumeWithinSeconds,
  onInitiationUnknown: ruleDefaults.onInitiationUnknown,
  promptLimits: { outstanding: '', perFiveMinutes: '', perHour: '', coolDownSeconds: '', rulePerMinute: '' },
  joinIdentical: ruleDefaults.joinIdentical,
  enabled: ruleDefaults.enabled,
};

/** A stored rule as its form shows it; a secret is not in it. */
export function valuesOf(rule: Pick<Rule, keyof RuleInput & keyof Rule>): RuleValues {
  const { clientCredentials: credentials, signedRequest } = rule;
  return {
    name: rule.name,
    tokenProviderId: rule.tokenProviderId,
    clientId: rule.clientId,
    credentialsType: credentials.type,
    clientSecret: '',
    secretMethod: (credentials.type === 'secret' && credentials.method) || '',
    keyPairId: credentials.type === 'mutual-tls' ? credentials.keyPairId : '',
    tlsMethod: (credentials.type === 'mutual-tls' && credentials.method) || '',
    loginHintAttribute: rule.loginHintAttribute,
    scopes: [...rule.scopes],
    bindingMessage: rule.bindingMessage ?? '',
    requestedExpirySeconds: rule.requestedExpirySeconds ?? '',
    timeoutRejectionHandlerId: rule.timeoutRejectionHandlerId ?? '',
    denyRejectionHandlerId: rule.denyRejectionHandlerId ?? '',
    errorRejectionHandlerId: rule.errorRejectionHandlerId ?? '',
    deliveryMode: rule.deliveryMode,
    hintKind: rule.hintKind,
    hintTemplate: rule.hintTemplate ?? '',
    subjectPolicy: rule.subjectPolicy,
    subjectAttribute: rule.subjectAttribute ?? '',
    acrValues: [...rule.acrValues],
    authorizationDetails: rule.authorizationDetails ? JSON.stringify(rule.authorizationDetails, null, 2) : '',
    extraParameters: Object.entries(rule.extraParameters).map(([name, value]) => ({ name, value })),
    signedRequest: typeof signedRequest === 'object' ? signedRequest.alg : signedRequest ? 'yes' : 'no',
    fapi: rule.fapi,
    dpop: rule.dpop ? 'yes' : 'no',
    releaseAccessToken: rule.releaseAccessToken,
    consumeWithinSeconds: rule.consumeWithinSeconds,
    onInitiationUnknown: rule.onInitiationUnknown,
    promptLimits: Object.fromEntries(
      promptLimitNames.map((name) => [name, rule.promptLimits?.[name] ?? '']),
    ) as RuleValues['promptLimits'],
    joinIdentical: rule.joinIdentical,
    enabled: rule.enabled,
  };
}

/** The body that the form's values make. What cannot be right is left as it is, for the schema to refuse. */
export function bodyOf(values: RuleValues): RuleInput {
  const { signedRequest, dpop } = values;
  return {
    name: values.name,
    type: 'one-time-authorization',
    tokenProviderId: values.tokenProviderId,
    clientId: values.clientId,
    clientCredentials: credentialsOf(values),
    loginHintAttribute: values.loginHintAttribute,
    scopes: values.scopes,
    bindingMessage: textOf(values.bindingMessage),
    requestedExpirySeconds: numberOf(values.requestedExpirySeconds),
    timeoutRejectionHandlerId: textOf(values.timeoutRejectionHandlerId),
    denyRejectionHandlerId: textOf(values.denyRejectionHandlerId),
    errorRejectionHandlerId: textOf(values.errorRejectionHandlerId),
    deliveryMode: values.deliveryMode as RuleInput['deliveryMode'],
    hintKind: values.hintKind as RuleInput['hintKind'],
    hintTemplate: textOf(values.hintTemplate),
    subjectPolicy: values.subjectPolicy as RuleInput['subjectPolicy'],
    subjectAttribute: values.subjectPolicy === 'bound' ? textOf(values.subjectAttribute) : null,
    acrValues: values.acrValues,
    authorizationDetails: jsonOf(values.authorizationDetails) as RuleInput['authorizationDetails'],
    extraParameters: Object.fromEntries(values.extraParameters.map(({ name, value }) => [name, value])),
    ...(signedRequest !== '' && {
      signedRequest: signedRequest === 'yes' ? true : signedRequest === 'no' ? false : { alg: signedRequest },
    }),
    fapi: values.fapi,
    ...(dpop !== '' && { dpop: dpop === 'yes' }),
    releaseAccessToken: values.releaseAccessToken,
    consumeWithinSeconds: values.consumeWithinSeconds as number,
    onInitiationUnknown: values.onInitiationUnknown as RuleInput['onInitiationUnknown'],
    promptLimits: limitsOf(values.promptLimits),
    joinIdentical: values.joinIdentical,
    enabled: values.enabled,
  };
}

function credentialsOf(values: RuleValues): RuleInput['clientCredentials'] {
  switch (values.credentialsType) {
    case 'secret':
      return {
        type: 'secret',
        ...(values.clientSecret !== '' && { clientSecret: values.clientSecret }),
        method: textOf(values.secretMethod) as 'client_secret_basic' | null,
      };
    case 'mutual-tls':
      return {
        type: 'mutual-tls',
        keyPairId: values.keyPairId,
        method: textOf(values.tlsMethod) as 'tls_client_auth' | null,
      };
    case 'private-key-jwt':
      return { type: 'private-key-jwt' };
  }
}

function limitsOf(limits: RuleValues['promptLimits']): RuleInput['promptLimits'] {
  const said = promptLimitNames.filter((name) => limits[name] !== '');
  return said.length === 0 ? null : Object.fromEntries(said.map((name) => [name, limits[name] as number]));
}

const textOf = (text: string): string | null => (text === '' ? null : text);
const numberOf = (value: NumberText): number | null => (value === '' ? null : (value as number));

function jsonOf(text: string): unknown {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

const fieldsByMember: Readonly<Record<string, string>> = {
  '/clientCredentials/clientSecret': 'clientSecret',
  '/clientCredentials/keyPairId': 'keyPairId',
  '/clientCredentials/type': 'credentialsType',
};

/** The field that shows a member of the body; null: none does. */
export function fieldOfPointer(pointer: string): string | null {
  const known = fieldsByMember[pointer];
  if (known !== undefined) return known;
  const [, member = '', inner] = pointer.split('/');
  if (member === 'promptLimits' && inner !== undefined) return `promptLimits.${inner}`;
  if (member === 'clientCredentials') return 'credentialsType';
  return Object.hasOwn(newRuleValues, member) ? member : null;
}

/** The fields below "Show Advanced". */
const advanced = new Set<string>([
  'requestedExpirySeconds',
  'timeoutRejectionHandlerId',
  'denyRejectionHandlerId',
  'errorRejectionHandlerId',
  'deliveryMode',
  'hintKind',
  'hintTemplate',
  'subjectPolicy',
  'subjectAttribute',
  'acrValues',
  'authorizationDetails',
  'extraParameters',
  'signedRequest',
  'fapi',
  'dpop',
  'releaseAccessToken',
  'consumeWithinSeconds',
  'onInitiationUnknown',
  'promptLimits',
  'joinIdentical',
]);

export const isAdvanced = (field: string): boolean => advanced.has(field.split('.')[0]!);

/** Whether a rule says something that only the advanced part shows. */
export const saysAdvanced = (values: RuleValues): boolean =>
  Object.entries(values).some(
    ([field, value]) =>
      isAdvanced(field) &&
      !(['signedRequest', 'dpop'].includes(field) && value === 'no') &&
      JSON.stringify(value) !== JSON.stringify(newRuleValues[field as keyof RuleValues]),
  );
