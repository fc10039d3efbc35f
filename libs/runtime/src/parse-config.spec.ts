import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  brokerConfig,
  ConfigProblem,
  databaseConfig,
  outboundConfig,
  parseConfig,
  processConfig,
} from './parse-config.js';

const schema = z.object({
  ...processConfig.shape,
  ...databaseConfig.shape,
  ...brokerConfig.shape,
  ...outboundConfig.shape,
});
const complete = {
  DATABASE_URL: 'postgres://assent:pw@localhost/assent',
  ASSENT_MASTER_KEYS: 'k1:AAAA',
  AMQP_URL: 'amqp://localhost',
};

describe('parseConfig', () => {
  it('gives defaults, and an object that cannot be changed', () => {
    const config = parseConfig(schema, complete);
    expect(config).toMatchObject({
      PORT: 3000,
      LOG_LEVEL: 'info',
      ASSENT_ALLOW_LOOPBACK: false,
      DATABASE_POOL_SIZE: 10,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('names every variable that is missing or wrong, all at once, with its meaning', () => {
    const broken = { PORT: 'http', AMQP_URL: 'http://localhost', ASSENT_ALLOW_LOOPBACK: 'yes' };
    expect(() => parseConfig(schema, broken)).toThrow(ConfigProblem);
    const message = messageOf(() => parseConfig(schema, broken));
    for (const name of [
      'PORT',
      'AMQP_URL',
      'ASSENT_ALLOW_LOOPBACK',
      'DATABASE_URL: is not set',
      'ASSENT_MASTER_KEYS: is not set',
    ]) {
      expect(message).toContain(name);
    }
    expect(message).toContain('Address of the Postgres primary');
  });

  it('says of what should be a number that it is none', () => {
    const message = messageOf(() => parseConfig(schema, { ...complete, PORT: 'http' }));
    expect(message).toContain('PORT: is not a number. Port of the HTTP server.');
  });

  it('takes an empty variable for an absent one', () => {
    expect(parseConfig(schema, { ...complete, PORT: '' }).PORT).toBe(3000);
  });

  it('reads a secret from the file that NAME_FILE names', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'url');
    writeFileSync(file, 'postgres://from-a-file/assent\n');
    const config = parseConfig(schema, { ...complete, DATABASE_URL: undefined, DATABASE_URL_FILE: file });
    expect(config.DATABASE_URL.reveal()).toBe('postgres://from-a-file/assent');
  });

  it('says which file cannot be read', () => {
    const message = messageOf(() =>
      parseConfig(schema, { ...complete, DATABASE_URL: '', DATABASE_URL_FILE: '/nowhere' }),
    );
    expect(message).toContain('DATABASE_URL_FILE: cannot read /nowhere (ENOENT)');
  });

  it('keeps a secret out of strings, JSON and inspection', () => {
    const { DATABASE_URL } = parseConfig(schema, complete);
    expect(`${String(DATABASE_URL)} ${JSON.stringify({ DATABASE_URL })} ${inspect({ DATABASE_URL })}`).not.toContain(
      'pw',
    );
    expect(DATABASE_URL.reveal()).toContain('pw');
  });

  it('takes lists apart', () => {
    const lists = { ASSENT_ALLOWED_NETWORKS: '10.0.0.0/8, 172.16.0.0/12,', ASSENT_ALLOWED_PORTS: '443, 9031' };
    const config = parseConfig(schema, { ...complete, ...lists });
    expect(config.ASSENT_ALLOWED_NETWORKS).toEqual(['10.0.0.0/8', '172.16.0.0/12']);
    expect(config.ASSENT_ALLOWED_PORTS).toEqual([443, 9031]);
    expect(() => parseConfig(schema, { ...complete, ASSENT_ALLOWED_PORTS: 'https' })).toThrow(/ASSENT_ALLOWED_PORTS/);
  });
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}
