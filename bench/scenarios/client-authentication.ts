import { generateKeyPairSync, randomUUID, type JsonWebKey } from 'node:crypto';
import { AssentClient } from '../../test/support/assent-client.js';
import { createCertificateAuthority } from '../../test/support/certificates.js';
import { setUpAssent } from '../harness/assent-setup.js';
import type { Contestant } from '../harness/contestant.js';
import type { Stage } from '../harness/stage.js';
import type { PollingClient, PollsLimit } from '../limits/polls.js';
import type { ProviderReport } from '../outside/stub-provider.js';
import type { OpenidClientPolls } from '../peers/openid-client-polls.js';
import { atLeast, atMost, costOf, rateOf } from './compare.js';
import { inFlight, looping, requests, saturatedAssent } from './saturated.js';
import type { Scenario } from './scenario.js';

const loop = 'a bare loop';
const library = 'a loop of openid-client';
const behaviour = { approveAfterMs: null, interval: 1, expiresIn: 7200, track: false } as const;
const targets: Scenario['targets'] = (series) => [
  atLeast(series, 5, 'Assent', library, rateOf),
  atLeast(series, 0.8, 'Assent', loop, rateOf),
  atMost(series, 1.25, 'Assent', loop, costOf, 'processor time'),
];

/** B13, first half: each poll carries an assertion of its own, signed with ES256. */
export const pollsPrivateKeyJwt: Scenario = {
  name: 'polls-jwt',
  ids: ['B13'],
  title: 'Polling with private_key_jwt',
  unit: 'polls',
  takes: { prepare: 14, round: 14 },
  notQuick: true,
  atMostRounds: 3,
  says: `as B4, with a new assertion (ES256) for each poll; the provider checks one of twenty: signature, audience, time, and that it is new`,
  prepare: async (stage) => {
    const jwks: JsonWebKey[] = [];
    const kid = randomUUID();
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    jwks.push({ ...publicKey.export({ format: 'jwk' }), kid });
    const assent = await saturatedAssent(stage, {
      name: 'Assent',
      setUp: async (url) => {
        const answer = await fetch(`${url}/.well-known/jwks.json`);
        jwks.push(...((await answer.json()) as { keys: JsonWebKey[] }).keys);
        return setUpAssent(stage, url, { clientCredentials: { type: 'private-key-jwt' } });
      },
      verify: () => assertionsAreGood(stage),
    });
    await stage.outside.call('behave', { ...behaviour, clientKeys: jwks });
    const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const client: PollingClient = { type: 'private-key-jwt', kid, privateKeyPem };
    const { issuer } = stage.outside.started;
    return [assent, ...(await others(stage, issuer, client, () => assertionsAreGood(stage)))];
  },
  targets,
};

/** B13, second half: connections over TLS, with a certificate of the client's. */
export const pollsMutualTls: Scenario = {
  name: 'polls-mtls',
  ids: ['B13'],
  title: 'Polling over mutual TLS',
  unit: 'polls',
  takes: { prepare: 14, round: 14 },
  notQuick: true,
  atMostRounds: 3,
  says: `as B4, over TLS 1.3 with a certificate on both sides; whoever has none gets no connection`,
  prepare: async (stage) => {
    const authority = await createCertificateAuthority('Authority of the benchmark');
    const names = [{ type: 'ip' as const, value: '127.0.0.1' }];
    const server = await authority.issue({ commonName: 'provider', names });
    const own = await authority.issue({ commonName: stage.outside.started.clientId });
    const ca = authority.certificatePem;
    const material = { certificatePem: server.certificatePem, privateKeyPem: server.privateKeyPem, ca };
    const issuer = await stage.outside.call<string>('secure', material);
    await stage.outside.call('behave', behaviour);
    const assent = await saturatedAssent(stage, {
      name: 'Assent',
      setUp: async (url) => {
        const pem = { certificate: own.certificatePem, privateKey: own.privateKeyPem };
        const admin = new AssentClient(url, stage.apiKey);
        const { id } = await admin.create<{ id: string }>('key-pairs', { alias: 'bench', pem });
        const rule = { clientCredentials: { type: 'mutual-tls', keyPairId: id } };
        return setUpAssent(stage, url, rule, { issuer, trustedCertificates: [ca], metadata: metadataAt(issuer) });
      },
    });
    const { certificatePem, privateKeyPem } = own;
    return [assent, ...(await others(stage, issuer, { type: 'mutual-tls', certificatePem, privateKeyPem, ca }))];
  },
  targets,
};

/** Given, and not discovered: nobody without a certificate may ask, and whoever discovers has none. */
const metadataAt = (issuer: string): object => ({
  issuer,
  jwks_uri: `${issuer}/jwks`,
  token_endpoint: `${issuer}/token`,
  backchannel_authentication_endpoint: `${issuer}/backchannel`,
  backchannel_token_delivery_modes_supported: ['poll'],
  grant_types_supported: ['urn:openid:params:grant-type:ciba'],
  token_endpoint_auth_methods_supported: ['tls_client_auth'],
});

async function others(
  stage: Stage,
  issuer: string,
  client: PollingClient,
  verify: () => Promise<void> = async () => undefined,
): Promise<Contestant[]> {
  const bare: PollsLimit = { issuer, inFlight, requests, client };
  const peer: OpenidClientPolls = { issuer, inFlight, client };
  const contestants = [
    looping(stage, loop, 'limit', await stage.program('limits/polls.ts', bare)),
    looping(stage, library, 'peer', await stage.program('peers/openid-client-polls.ts', peer)),
  ];
  return contestants.map((one) => ({
    ...one,
    run: async (turn) => {
      const sample = await one.run(turn);
      await verify();
      return sample;
    },
  }));
}

async function assertionsAreGood(stage: Stage): Promise<void> {
  const { assertions } = await stage.outside.call<ProviderReport>('provider');
  if (assertions === null || assertions.checked === 0 || assertions.refused > 0) {
    throw new Error(`The provider has checked assertions: ${JSON.stringify(assertions)}.`);
  }
}
