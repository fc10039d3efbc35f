import {
  configuredRule,
  type ConfiguredKeyPair,
  type ConfiguredRule,
  type ConfiguredTokenProvider,
} from '../configuration.js';
import type { RejectionHandlerBody } from '../rejection-handlers.http.js';
import { Draft } from './import-draft.js';
import type { MappingContext } from './mapping-context.js';
import type { RecognisedRule } from './recognise-rule.js';

/** What rules refer to, by the ids of the export. */
export interface RuleSurroundings {
  readonly tokenProvider: Draft<ConfiguredTokenProvider>;
  readonly keyPairs: ReadonlyMap<string, Draft<ConfiguredKeyPair>>;
  readonly rejectionHandlers: ReadonlyMap<string, Draft<RejectionHandlerBody>>;
}

/** A one-time-authorization rule; it is complete only together with everything that it refers to. */
export function mapRule(
  rule: RecognisedRule,
  index: number,
  around: RuleSurroundings,
  { inputs, exists }: MappingContext,
): Draft<ConfiguredRule> {
  const id = rule.id || `#${index}`;
  const name = rule.name || `Rule ${id}`;
  const draft = new Draft<ConfiguredRule>('rule', name, `/data/rules/${index}`, exists('rule', name));
  const input = (member: string): string | null => inputs[`rules/${id}/${member}`] ?? null;
  const want = (member: string, what: string): void => draft.need(`rules/${id}/${member}`, what);

  const { tokenProvider } = around;
  if (!tokenProvider.usable) draft.fail(`It asks the token provider "${tokenProvider.name}", which is not complete.`);
  const clientId = input('clientId') ?? rule.client?.clientId ?? null;
  if (clientId === null) want('clientId', 'The id of its OAuth client.');
  const loginHintAttribute = input('loginHintAttribute') ?? rule.loginHintAttribute;
  if (loginHintAttribute === null)
    want('loginHintAttribute', 'The attribute of a request whose value names the person.');
  const handler = (member: 'timeoutRejectionHandler' | 'denyRejectionHandler'): string | null => {
    const given = input(member);
    const wanted = rule[member];
    if (given !== null || wanted === null) return given;
    const found = around.rejectionHandlers.get(wanted);
    if (found === undefined) want(member, `The name of a rejection handler: number ${wanted} is not in the export.`);
    else if (!found.usable) draft.fail(`It refers to the rejection handler "${found.name}", which is not complete.`);
    return found?.name ?? null;
  };
  draft.complete(configuredRule, {
    name,
    tokenProvider: tokenProvider.name,
    clientId,
    clientCredentials: credentialsOf(rule, { draft, input, want, keyPairs: around.keyPairs }),
    loginHintAttribute,
    scopes: [...new Set(rule.scopes)].filter((scope) => scope !== 'openid'),
    requestedExpirySeconds: rule.requestedExpirySeconds,
    timeoutRejectionHandler: handler('timeoutRejectionHandler'),
    denyRejectionHandler: handler('denyRejectionHandler'),
  });
  return draft;
}

interface Asking {
  readonly draft: Draft<ConfiguredRule>;
  readonly input: (member: string) => string | null;
  readonly want: (member: string, what: string) => void;
  readonly keyPairs: RuleSurroundings['keyPairs'];
}

function credentialsOf({ client }: RecognisedRule, { draft, input, want, keyPairs }: Asking): object {
  switch (client?.type) {
    case 'mutual-tls': {
      const given = input('keyPair');
      if (given !== null) return { type: 'mutual-tls', keyPair: given };
      const found = keyPairs.get(client.keyPairId ?? '');
      if (found === undefined)
        want('keyPair', 'The alias of a key pair of Assent: the one of the rule is not in the export.');
      else if (!found.usable) draft.fail(`It comes with the key pair "${found.name}", which is not complete.`);
      return { type: 'mutual-tls', keyPair: found?.name };
    }
    case 'private-key-jwt':
      draft.note(
        'The provider has to know the keys of Assent: give it /.well-known/jwks.json as the address of the key set.',
      );
      return { type: 'private-key-jwt' };
    case 'secret':
    case undefined: {
      const plain = client?.secret?.kind === 'plain' ? client.secret.value : null;
      const clientSecret = input('clientSecret') ?? plain;
      if (clientSecret === null) want('clientSecret', 'Its client secret: the export holds none that can be read.');
      return { type: 'secret', clientSecret };
    }
  }
}
