import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import forge from 'node-forge';
import { runCli } from '../apps/cli/src/run-cli.js';
import { createCertificateAuthority } from './support/certificates.js';
import { RulesHouse } from './support/rules-house.js';

let house: RulesHouse;
let folder: string;
beforeAll(async () => {
  house = await RulesHouse.open();
  folder = await mkdtemp(join(tmpdir(), 'assent-configuration-'));
}, 60_000);
afterAll(async () => {
  await house.close();
  await rm(folder, { recursive: true });
}, 60_000);

const secrets = {
  BANK_CLIENT_SECRET: 'canary-bank-secret',
  AUDIT_WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}`,
  CORNER_SHOP_KEY: `assent_${randomBytes(32).toString('base64url')}`,
};

/** Runs the command line in this process, as somebody with every scope and these secrets. */
async function assent(args: readonly string[], { input, env = {} }: { input?: string; env?: object } = {}) {
  let [out, err] = ['', ''];
  const code = await runCli({
    args,
    env: { ASSENT_URL: house.url, ASSENT_API_KEY: house.apiKey, ...secrets, ...env },
    out: { write: (text: string) => (out += text) },
    err: { write: (text: string) => (err += text) },
    ...(input !== undefined && { input: Readable.from([input]) }),
  });
  return { code, out, err };
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  return path;
}

const nowhere = { env: { ASSENT_URL: 'http://127.0.0.1:9', ASSENT_API_KEY: '' } };

describe('the example of the documentation', () => {
  it('is checked, compared, tried, applied, and then no difference any more', async () => {
    const page = await readFile(join(import.meta.dirname, '../docs/configuration-as-code.md'), 'utf8');
    const example = await file('bank/assent.yaml', /```yaml\n([\s\S]*?)```/.exec(page)![1]!);
    const authority = await createCertificateAuthority('Bank CA');
    const issued = await authority.issue({ commonName: 'shop' });
    await file('bank/bank-client.crt.pem', issued.certificatePem + authority.certificatePem);
    await file('bank/bank-client.key.pem', issued.privateKeyPem);

    expect(await assent(['validate', example], nowhere)).toEqual({
      code: 0,
      out: '8 objects, nothing wrong.\n',
      err: '',
    });
    const different = await assent(['diff', join(folder, 'bank')]);
    expect(different).toMatchObject({ code: 2, err: '' });
    expect(different.out).toContain('+ rule "Approve a payment"\n');
    expect(different.out).toContain('8 to create, 0 to update, 0 to delete, 0 unchanged.');
    const tried = await assent(['apply', example, '--dry-run']);
    expect(tried).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was changed') });
    expect((await assent(['diff', example])).code).toBe(2);

    expect(await assent(['apply', example])).toMatchObject({ code: 0, out: expect.stringContaining('Applied.') });
    const same = await assent(['diff', example, '--prune']);
    expect(same).toEqual({ code: 0, out: '0 to create, 0 to update, 0 to delete, 8 unchanged.\n', err: '' });
    const otherSecret = await assent(['diff', example], { env: { BANK_CLIENT_SECRET: 'canary-other' } });
    expect(otherSecret.out).toContain('    /clientCredentials/clientSecret: "(secret)" → "(secret)"\n');
    for (const secret of [...Object.values(secrets), 'canary-other']) {
      expect(different.out + tried.out + same.out + otherSecret.out).not.toContain(secret);
    }
  });

  it('is what is exported, and the export applies again', async () => {
    const exported = await assent(['export']);
    expect(exported.code).toBe(0);
    expect(exported.out).toContain(`$schema=${house.url}/configuration.schema.json`);
    expect(exported.out).toContain('#   env ASSENT_RULE_APPROVE_A_PAYMENT_CLIENT_SECRET\n');
    for (const secret of Object.values(secrets)) expect(exported.out).not.toContain(secret);
    const unresolved = await assent(['diff', await file('exported.yaml', exported.out)]);
    expect(unresolved.code).toBe(1);
    expect(unresolved.err).toMatch(/exported\.yaml:\d+:\d+: The variable ASSENT_RULE_\w+ is not set\.\n/);
    const quiet = await assent(['export', '--without-secrets']);
    expect(await assent(['diff', '-', '--prune'], { input: quiet.out })).toMatchObject({ code: 0, err: '' });
    const asJson = await assent(['export', '--json', '--without-secrets']);
    expect(await assent(['diff', '-', '--json'], { input: asJson.out })).toMatchObject({ code: 0 });
  });
});

describe('what is wrong in a configuration', () => {
  it('is told by file, line and column, by those that look at the files only as by Assent', async () => {
    const provider = await file('wrong/a.yaml', 'tokenProviders:\n  - name: Bank\n    issuer: not an address\n');
    const rules = [
      'rules:',
      '  - name: Pay',
      '    tokenProvider: Bank',
      '    clientId: shop',
      '    clientCredentials: { type: secret, clientSecret: "${env:NOBODY_SET_IT}" }',
      '    loginHintAttribute: email',
      '    colour: red',
      '  - name: Pay',
    ];
    const rule = await file('wrong/b.yaml', `${rules.join('\n')}\n`);
    const checked = await assent(['validate', join(folder, 'wrong')], nowhere);
    expect(checked.code).toBe(1);
    const lines = checked.err.trim().split('\n');
    expect(lines).toContain(
      `${provider}:3:5: tokenProviders.0.issuer: Give an absolute https address without user name, password or fragment.`,
    );
    expect(lines.some((line) => line.startsWith(`${rule}:7:5: rules.0: Unrecognized key`))).toBe(true);
    expect(lines).toContain(`${rule}:8:5: There is a rule "Pay" already: ${rule}:2:5.`);
    expect((await assent(['diff', rule])).err).toBe(`${rule}:5:40: The variable NOBODY_SET_IT is not set.\n`);

    const refused = await file(
      'refused.yaml',
      'rules:\n  - name: Pay\n    tokenProvider: Nobody\n    clientId: shop\n' +
        '    clientCredentials: { type: private-key-jwt }\n    loginHintAttribute: email\n',
    );
    expect(await assent(['validate', refused], nowhere)).toMatchObject({ code: 0 });
    const told = await assent(['apply', refused]);
    expect(told).toMatchObject({ code: 1, out: '' });
    expect(told.err).toBe(`${refused}:3:5: There is no token provider "Nobody", here or in the configuration.\n`);
    const asJson = await assent(['apply', refused, '--json']);
    expect(JSON.parse(asJson.out)).toMatchObject({ ok: false, problems: [{ place: `${refused}:3:5` }] });
  });

  it('is said for what is no configuration at all', async () => {
    const problems: [string, string][] = [
      ['rules: [', 'refused.yaml:1:9'],
      ['rules: []\nrules: []\n', 'refused.yaml:2:1'],
      ['a: &a [x]\nb: *c\n', 'Unresolved alias'],
      ['just a text', 'refused.yaml:1:1'],
      ['tokenProviders:\n', 'refused.yaml:1:1'],
      [`a: &a [x, x, x, x, x, x, x, x, x]\n${aliases()}`, 'Excessive alias count'],
      ['', 'There is no configuration'],
      ['# nothing\n', 'There is no configuration'],
    ];
    for (const [text, problem] of problems) {
      const path = await file('refused.yaml', text);
      expect([text, await assent(['validate', path], nowhere)]).toEqual([
        text,
        { code: 1, out: '', err: expect.stringContaining(problem) },
      ]);
    }
    const absent = join(folder, 'nowhere.yaml');
    expect((await assent(['validate', absent])).err).toContain(`${absent} cannot be read: there is no such file.`);
    expect((await assent(['apply'])).err).toContain('Say which');
    expect((await assent(['validate', '--prune', 'x'])).err).toContain('--prune goes with');
  });
});

describe('an import from PingAccess', () => {
  const obfuscated = { encryptedValue: 'OBF:JWE:canary' };
  const templateHandler =
    'com.pingidentity.pa.policy.rejectionhandler.errortemplate.ErrorTemplateRejectionHandlerPlugin';
  const credentials = (over: object) => ({
    clientId: 'shop',
    clientSecret: obfuscated,
    credentialsType: 'SECRET',
    ...over,
  });
  const rule = (id: number, name: string, over: object = {}) => ({
    id,
    name,
    className: 'com.pingidentity.pa.policy.Unknown',
    configuration: {
      oauthClientCredentials: credentials(over),
      loginHintRequestAttribute: 'email',
      timeoutRejectionHandler: '2',
      denyRejectionHandler: '7',
    },
  });

  it('shows what is missing, then takes everything or nothing, and leaves what is there', async () => {
    const exported = {
      version: '8.0.0.0',
      data: {
        tokenProvider: { type: 'PingFederate' },
        pingFederateRuntime: { issuer: 'https://pf.example.com' },
        rejectionHandlers: [
          { id: 2, name: 'Default API Rejection Handler', className: templateHandler, configuration: {} },
          {
            id: 7,
            name: 'Ping says no',
            className: templateHandler,
            configuration: { responseCode: '403', templateFile: 'no.html' },
          },
        ],
        keyPairs: [{ id: 3, alias: 'Ping client', fileData: pkcs12('secret of the file'), password: obfuscated }],
        rules: [rule(17, 'Ping pays'), rule(18, 'Ping transfers', { keyPairId: 3, credentialsType: 'CERTIFICATE' })],
        applications: Array.from({ length: 3000 }, (_, id) => ({ id, name: 'x'.repeat(1000) })),
      },
    };
    const path = await file('pa-data.json', JSON.stringify(exported));
    const looked = await assent(['import', 'pingaccess', path, '--dry-run']);
    expect(looked).toMatchObject({ code: 2, err: '' });
    expect(looked.out).toContain("--input 'rules/17/clientSecret=…'");
    expect(looked.out).toContain("--input 'keyPairs/3/password=…'");
    expect(looked.out).toContain('Not for Assent: applications (3000).');
    expect(await assent(['import', 'pingaccess', path])).toMatchObject({
      code: 1,
      out: expect.stringContaining('Nothing was imported: 3 objects need input.'),
    });
    const body = { export: { data: { ...exported.data, applications: [] } } };
    const refused = await house.admin.call<{ errors: { pointer: string }[] }>(
      'POST',
      '/v1/configuration/import/pingaccess',
      body,
    );
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map(({ pointer }) => pointer)).toEqual([
      '/inputs/keyPairs~13~1password',
      '/inputs/rules~117~1clientSecret',
      '/export/data/rules/1',
    ]);

    const secret = ['--input', 'rules/17/clientSecret=${env:BANK_CLIENT_SECRET}'];
    const wrong = await assent(['import', 'pingaccess', path, ...secret, '--input', 'keyPairs/3/password=wrong']);
    expect(wrong).toMatchObject({ code: 1, out: '', err: expect.stringContaining('does not open with this password') });
    expect((await names()).filter((name) => name.startsWith('Ping'))).toEqual([]);

    const rest = await assent(['import', 'pingaccess', path, ...secret, '--leave-out-incomplete']);
    expect(rest).toMatchObject({ code: 0, out: expect.stringContaining('Imported 3 objects. 2 left out.') });
    expect(await names()).toEqual(expect.arrayContaining(['PingFederate', 'Ping says no', 'Ping pays']));
    const whole = [...secret, '--input', 'keyPairs/3/password=secret of the file'];
    const done = await assent(['import', 'pingaccess', path, ...whole]);
    expect(done).toMatchObject({ code: 0, out: expect.stringContaining('Imported 2 objects.') });
    const again = await assent(['import', 'pingaccess', path, ...whole, '--json']);
    expect(JSON.parse(again.out)).toMatchObject({ result: { changes: [] } });
    for (const { out, err } of [looked, wrong, rest, done, again]) {
      expect(out + err).not.toMatch(/canary|secret of the file/);
    }
    const { body: rules } = await house.admin.call<{ data: object[] }>('GET', '/v1/rules?limit=100');
    expect(rules.data).toContainEqual(
      expect.objectContaining({
        name: 'Ping transfers',
        clientCredentials: expect.objectContaining({ type: 'mutual-tls' }),
      }),
    );
  });

  it('is refused for what is no export', async () => {
    const text = await file('text.json', 'no JSON');
    expect((await assent(['import', 'pingaccess', text])).err).toContain('is not JSON');
    expect((await assent(['import', 'other', text])).err).toContain('It is import pingaccess <file>');
    expect((await assent(['import', 'pingaccess', text, '--input', 'x'])).err).toContain('An input is <key>=<value>');
    const empty = await assent(['import', 'pingaccess', await file('empty.json', '{"data":{"rules":7}}'), '--json']);
    expect(JSON.parse(empty.out)).toMatchObject({ items: [{ outcome: 'skip' }], result: { changes: [] } });
  });
});

/** The names of everything that was configured. */
async function names(): Promise<string[]> {
  const { out } = await assent(['export', '--json', '--without-secrets']);
  return Object.values(JSON.parse(out) as Record<string, { name?: string; alias?: string }[]>)
    .filter((section) => Array.isArray(section))
    .flatMap((section) => section.map(({ name, alias }) => name ?? alias!));
}

/** A PKCS#12 file in base64, as an administrator exports it. */
function pkcs12(password: string): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = forge.pki.privateKeyFromPem(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - 86_400_000);
  certificate.validity.notAfter = new Date(Date.now() + 90 * 86_400_000);
  const subject = [{ name: 'commonName', value: 'ping client' }];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.sign(key, forge.md.sha256.create());
  const file = forge.asn1.toDer(forge.pkcs12.toPkcs12Asn1(key, [certificate], password)).getBytes();
  return Buffer.from(file, 'latin1').toString('base64');
}

/** Lists of lists of lists: a few lines that would become gigabytes. */
const aliases = (): string =>
  'bcdefgh'
    .split('')
    .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`).join(', ')}]`)
    .join('\n');
