import type { RuleDefinition } from '#lib/domain';
import { MissingRow } from '../errors.js';
import { isUuid } from '../paging.js';
import { ShortCache } from '../short-cache.js';
import { statement } from '../sql.js';
import type { StoreContext } from '../store-context.js';
import { privateKeyPlace } from './key-pair.store.js';
import { clientSecretPlace } from './rule.store.js';
import type {
  EncryptionKeyStore,
  RefusableCall,
  RegistrationStore,
  SigningKeyStore,
  StoredRegistration,
} from './work.types.js';

/** What it takes to be a rule's client at its provider: the rule's version, the provider as it is now, the secrets. */
export class PostgresRegistrationStore implements RegistrationStore {
  private readonly cache = new ShortCache<StoredRegistration>({ ttlMs: 5_000, maxEntries: 1_000 });

  constructor(
    private readonly context: StoreContext,
    private readonly signingKeys: SigningKeyStore,
    private readonly encryptionKeys: Pick<EncryptionKeyStore, 'decryption'>,
  ) {}

  load(rule: { readonly id: string; readonly version: number }): StoredRegistration | Promise<StoredRegistration> {
    const name = `${rule.id}:${rule.version}`;
    const found = this.cache.get(name, () => this.read(rule));
    return found instanceof Promise ? present(found, name) : found;
  }

  private async read(rule: { readonly id: string; readonly version: number }): Promise<StoredRegistration | null> {
    if (!isUuid(rule.id)) return null;
    const row = await this.context.sql.row<RegistrationRow>(selectRegistration, [rule.id, rule.version]);
    if (row === null) return null;
    const credentials = await this.credentials(rule, row);
    const requestSigning = await this.requestSigning(row.definition);
    const keys = [
      ...(credentials.type === 'private-key-jwt' ? [credentials.signingKey, ...credentials.furtherKeys] : []),
      ...(requestSigning?.keys ?? []),
    ];
    const certificate = row.key_pair_version === null ? [] : [row.key_pair_version];
    return {
      // Whatever is prepared with a key or a certificate goes when that does.
      key: [rule.id, rule.version, ...certificate, ...keys.map(({ kid }) => kid)].join(':'),
      provider: {
        id: `${row.provider_id}:${row.provider_version}`,
        issuer: row.issuer,
        metadata: row.metadata,
        trustedCertificates: row.trusted_certificates,
        profile: row.profile,
      },
      clientId: row.definition.clientId,
      credentials,
      requestSigning,
      fapi: row.definition.fapi,
      dpop: row.definition.dpop,
      decryptionKeys: await this.encryptionKeys.decryption(),
      refusedCalls: row.refused_calls,
    };
  }

  private async credentials(
    rule: { readonly id: string; readonly version: number },
    row: RegistrationRow,
  ): Promise<StoredRegistration['credentials']> {
    const { sealing } = this.context;
    const { clientCredentials } = row.definition;
    switch (clientCredentials.type) {
      case 'secret':
        if (row.client_secret === null) throw new MissingRow(`Rule ${rule.id} has no client secret.`);
        return {
          type: 'secret',
          clientSecret: sealing.open(row.client_secret, clientSecretPlace(rule.id, rule.version)),
          method: clientCredentials.method,
        };
      case 'mutual-tls':
        if (row.certificate_chain === null || row.private_key === null) {
          throw new MissingRow(`The key pair ${clientCredentials.keyPairId} is gone.`);
        }
        return {
          type: 'mutual-tls',
          certificateChainPem: row.certificate_chain.join('\n'),
          privateKeyPem: sealing.open(row.private_key, privateKeyPlace(clientCredentials.keyPairId)),
          method: clientCredentials.method,
        };
      case 'private-key-jwt':
        return this.ownKeys();
    }
  }

  private async ownKeys(): Promise<StoredRegistration['credentials']> {
    const [signingKey, ...furtherKeys] = await this.signingKeys.choice('client-assertion');
    if (signingKey === undefined) throw new MissingRow('There is no signing key for client assertions.');
    return { type: 'private-key-jwt', signingKey, furtherKeys };
  }

  private async requestSigning(definition: RuleDefinition): Promise<StoredRegistration['requestSigning']> {
    const { signedRequest } = definition;
    if (signedRequest === false) return null;
    const alg = signedRequest === true ? null : signedRequest.alg;
    return { keys: await this.signingKeys.choice('request-object'), alg };
  }
}

async function present(reading: Promise<StoredRegistration | null>, name: string): Promise<StoredRegistration> {
  const registration = await reading;
  if (registration === null) throw new MissingRow(`Rule ${name} or its token provider is gone.`);
  return registration;
}

interface RegistrationRow {
  readonly definition: RuleDefinition;
  readonly client_secret: Buffer | null;
  readonly provider_id: string;
  readonly provider_version: number;
  readonly issuer: string;
  readonly metadata: Record<string, unknown> | null;
  readonly trusted_certificates: string[];
  readonly profile: StoredRegistration['provider']['profile'];
  readonly certificate_chain: string[] | null;
  readonly private_key: Buffer | null;
  readonly key_pair_version: number | null;
  readonly refused_calls: RefusableCall[];
}

const selectRegistration = statement(
  'select_registration',
  /* sql */ `
  select v.definition, v.client_secret, p.id as provider_id, p.version as provider_version, p.issuer, p.metadata,
    p.trusted_certificates, p.profile, k.certificate_chain, k.private_key, k.version as key_pair_version,
    array(select f.call from client_refusals f where f.rule_id = v.rule_id and f.rule_version = v.version) as refused_calls
  from rule_versions v
  join token_providers p on p.id = v.token_provider_id
  left join key_pairs k on k.id = v.key_pair_id
  where v.rule_id = $1::uuid and v.version = $2::integer`,
);
