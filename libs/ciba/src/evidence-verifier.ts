import type { Connections } from './connections.js';
import { fetchDocument } from './documents.js';
import { isEncrypted, openEncrypted, type Opened } from './encrypted-token.js';
import { acceptedAlgorithms, checkEvidence, checkHeader, reject } from './evidence.js';
import { fapiAlgorithms } from './fapi.js';
import { decodeIdToken } from './id-token.js';
import type { EvidenceExpectation, TokenAnswer, Verification } from './outcomes.js';
import type { ProviderDirectory } from './provider-directory.js';
import type { ProviderMetadata } from './provider-metadata.js';
import type { ClientRegistration, DecryptionKeyMaterial, ProviderSettings } from './registration.js';
import type { SigningKeys } from './signing-keys.js';
import { providerTls } from './tls-material.js';

/** What verifying needs. */
export interface VerifierOptions {
  readonly directory: ProviderDirectory;
  readonly connections: Connections;
  readonly keys: SigningKeys;
  readonly timeoutMs: number;
}

/** Decides whether a token answer proves an approval: envelope, shape, header, signature, then claims. */
export class EvidenceVerifier {
  constructor(private readonly options: VerifierOptions) {}

  /** Never rejects; when the provider cannot be reached there is no verdict. */
  async verify(
    { provider, fapi = false, decryptionKeys = [] }: Pick<ClientRegistration, 'provider' | 'fapi' | 'decryptionKeys'>,
    answer: TokenAnswer,
    expectation: EvidenceExpectation,
    now: Date,
  ): Promise<Verification> {
    if (answer.idToken === null) return reject('id_token_missing', 'the answer has no ID token');
    const opened = await signedTokenIn(answer.idToken, decryptionKeys);
    if (opened.kind === 'unknown-key')
      return { kind: 'keys-unavailable', detail: 'the ID token is not for a key of ours' };
    if (opened.kind === 'refused')
      return reject('encryption', 'the ID token is encrypted in a way that is not accepted');
    const idToken = decodeIdToken(opened.compact);
    if (idToken === null) return reject('id_token_malformed', 'the ID token is not a signed JWT');
    const metadata = await this.findMetadata(provider);
    if (metadata === null) return { kind: 'keys-unavailable', detail: "the provider's metadata cannot be had" };
    const algorithms = intersect(fapi ? fapiAlgorithms : acceptedAlgorithms, metadata.signingAlgorithms);
    const objection = checkHeader(idToken, algorithms);
    if (objection !== null) return objection;
    const signature = await this.options.keys.check(idToken.compact, algorithms, provider.id, () =>
      this.fetchKeys(provider, metadata),
    );
    switch (signature.kind) {
      case 'keys-unavailable':
        return { kind: 'keys-unavailable', detail: signature.detail };
      case 'bad':
        return reject('signature', "the ID token is not signed by one of the issuer's keys");
      case 'good':
        return checkEvidence({ idToken, answer, issuer: metadata.issuer, expectation, now });
    }
  }

  /** Whatever is wrong with the metadata now is no proof against an answer that has been received. */
  private async findMetadata(provider: ProviderSettings): Promise<ProviderMetadata | null> {
    try {
      return await this.options.directory.find(provider);
    } catch {
      return null;
    }
  }

  private fetchKeys(provider: ProviderSettings, metadata: ProviderMetadata) {
    const target = this.options.connections.target(metadata.keysUrl, provider.id, providerTls(provider));
    return fetchDocument(target, this.options.timeoutMs);
  }
}

/** From here on the nested token is the ID token: what the envelope looks like proves nothing. */
function signedTokenIn(token: string, keys: readonly DecryptionKeyMaterial[]): Promise<Opened> | Opened {
  return isEncrypted(token) ? openEncrypted(token, keys) : { kind: 'opened', compact: token };
}

function intersect(accepted: readonly string[], supported: readonly string[] | null): string[] {
  return accepted.filter((algorithm) => supported === null || supported.includes(algorithm));
}
