import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { ConfiguredKeyPair } from '#lib/contracts';
import { changesBetween } from '#lib/domain';
import type { KeyPairRow, NewKeyPair } from '#lib/persistence';
import { invalidMember } from '../http/invalid-member.js';
import { orderedChain } from '../key-pairs/certificate-chain.js';
import { certifiedKey } from '../key-pairs/certified-key.js';
import { generateKeyPair } from '../key-pairs/generate-key-pair.js';
import { importKeyPair } from '../key-pairs/import-key-pair.js';
import type { KeyMaterial } from '../key-pairs/key-material.js';
import { certificatesIn, readPem } from '../key-pairs/read-pem.js';
import { readPkcs12 } from '../key-pairs/read-pkcs12.js';
import { secretChange, settled, type PlannedChange, type Planning } from './step.js';

/**
 * What makes a key pair what the configuration says. One that is there stays as it is where the configuration gives no
 * key material, or asks for one to be generated; what it gives is compared, so that a certificate that has ended since it
 * was put there is no reason to refuse the same configuration again.
 *
 * @throws ProblemError `invalid_key_pair`
 */
export function planKeyPair(
  body: ConfiguredKeyPair,
  row: KeyPairRow | null,
  planning: Planning,
): Promise<PlannedChange> {
  return row === null ? planNew(body, planning) : planChange(body, row, planning);
}

async function planNew(body: ConfiguredKeyPair, { database: { keyPairs }, now }: Planning): Promise<PlannedChange> {
  const made = await newKeyPair(body, now);
  return {
    changes: [...changesBetween(null, viewOf(made)), secretChange('/privateKey', false)],
    run: async ({ acting, names }) => {
      const { id } = settled(await keyPairs.create(made, acting), 'key pair');
      names.add('key-pair', body.alias, id);
      return id;
    },
  };
}

async function newKeyPair({ alias, pem, generate, ...body }: ConfiguredKeyPair, now: Date): Promise<NewKeyPair> {
  if (generate !== undefined) return generateKeyPair(alias, generate, now);
  if (pem === undefined && body.pkcs12 === undefined) {
    throw invalidMember('/alias', 'There is no such key pair yet: give pem or pkcs12, or have one generated.');
  }
  const { certificate = '', privateKey } = pem ?? {};
  if (pem !== undefined && privateKey === undefined) {
    throw invalidMember('/pem/privateKey', 'There is no such key pair yet: give its private key.');
  }
  return importKeyPair({ alias, ...body, ...(privateKey !== undefined && { pem: { certificate, privateKey } }) }, now);
}

async function planChange(
  body: ConfiguredKeyPair,
  row: KeyPairRow,
  { database: { keyPairs }, now }: Planning,
): Promise<PlannedChange> {
  const stays = { changes: [], run: () => Promise.resolve(row.id) };
  if (body.pem === undefined && body.pkcs12 === undefined) return stays;
  const own = new X509Certificate(row.certificateChainPem[0]!);
  const { privateKey, certificates } = await materialOf(body, () => keyPairs.privateKey(row.id));
  const sameKey = own.checkPrivateKey(privateKey);
  const chain = orderedChain(certificates, privateKey)?.chain ?? [];
  const same = changesBetween(fingerprintsOf(row.certificateChainPem), chain.map(fingerprintOf)).length === 0;
  if (sameKey && same) return stays;

  const at = body.pem ? '/pem' : '/pkcs12';
  const pointers = body.pem
    ? { key: `${at}/certificate`, certificate: `${at}/certificate` }
    : { key: at, certificate: at };
  const certified = certifiedKey(privateKey, certificates, now, pointers);
  const changes = changesBetween(viewOf(row), viewOf(certified));
  return {
    changes: sameKey ? changes : [...changes, secretChange('/privateKey', true)],
    run: async ({ acting }) => {
      const result = await (sameKey
        ? keyPairs.replaceCertificate(row.id, row.version, certified, acting)
        : keyPairs.replaceKey(row.id, row.version, { ...certified, privateKeyPem: pemOf(privateKey) }, acting));
      return settled(result, 'key pair').id;
    },
  };
}

/** The private key that is there stands for one that is left out. */
async function materialOf(
  { pem, pkcs12 = '', password }: ConfiguredKeyPair,
  stored: () => Promise<string | null>,
): Promise<KeyMaterial> {
  if (pem === undefined) return readPkcs12(pkcs12, password);
  const { certificate, privateKey } = pem;
  if (privateKey !== undefined) return readPem({ certificate, privateKey }, password);
  const kept = await stored();
  if (kept === null) throw invalidMember('/alias', 'The key pair went away meanwhile: send the configuration again.');
  return { privateKey: createPrivateKey(kept), certificates: certificatesIn(certificate, '/pem/certificate') };
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const fingerprintOf = ({ fingerprint256 }: X509Certificate): string => fingerprint256;
const fingerprintsOf = (chain: readonly string[]): string[] =>
  chain.map((pem) => fingerprintOf(new X509Certificate(pem)));

const viewOf = ({ certificateChainPem, facts }: Pick<NewKeyPair, 'certificateChainPem' | 'facts'>): object => ({
  subject: facts.subject,
  notAfter: facts.notAfter,
  keyAlgorithm: facts.keyAlgorithm,
  certificateChain: fingerprintsOf(certificateChainPem),
});
