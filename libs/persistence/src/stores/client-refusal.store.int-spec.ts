import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { openFixture, type DatabaseFixture } from '../../../../test/support/postgres-builders.js';
import type { CallSubject, Database } from '../index.js';

describe('clients that their provider refuses (R62)', () => {
  let fixture: DatabaseFixture;
  let database: Database;
  let outside: Client;
  let start: CallSubject;
  beforeEach(async () => {
    fixture = await openFixture();
    ({ database } = fixture);
    outside = new Client({ connectionString: fixture.url });
    await outside.connect();
    start = { rule: { id: fixture.rule.id, version: fixture.rule.version }, call: 'start' };
  });
  afterEach(async () => {
    await outside.end();
    await fixture.close();
  });

  const note = (by = database) =>
    by.clientRefusals.note(start, { tokenProviderId: fixture.provider.id, error: 'invalid_client' });
  const pauseOver = () => outside.query('update client_refusals set paused_until = clock_timestamp()');
  const refused = async () => (await database.clientRefusals.ofTokenProviders([fixture.provider.id])).length;
  /** What a process that knows nothing yet is told. */
  const admitted = async () => (await fixture.reopen()).clientRefusals.admit(start, true);

  it('cost no question while nothing was refused', async () => {
    expect(await database.clientRefusals.admit(start, false)).toBeNull();
    expect(await database.clientRefusals.accepted(start, false)).toBe(false);
    expect(database.clientRefusals.pause(start)).toBeNull();
  });

  it('are paused at once here, and elsewhere as soon as the registration tells of it', async () => {
    expect((await database.registrations.load(start.rule)).refusedCalls).toEqual([]);
    await note();
    expect(database.clientRefusals.pause(start)).toMatchObject({ error: 'invalid_client' });
    const other = await fixture.reopen();
    expect((await other.registrations.load(start.rule)).refusedCalls).toEqual(['start']);
    expect(await other.clientRefusals.admit(start, true)).toMatchObject({ error: 'invalid_client' });
    // Polls are another matter, and so are other versions.
    expect(await other.clientRefusals.admit({ ...start, call: 'poll' }, true)).toBeNull();
    expect(await other.clientRefusals.admit({ ...start, rule: { ...start.rule, version: 2 } }, true)).toBeNull();
  });

  it('are tried by one process at the end of a pause, and the next pause is twice as long, up to ten minutes', async () => {
    await note();
    const pauses: number[] = [];
    for (let round = 0; round < 9; round++) {
      await pauseOver();
      const answers = await Promise.all([admitted(), admitted(), admitted()]);
      expect(answers.filter((answer) => answer === null)).toHaveLength(1);
      const longest = Math.max(...answers.map((answer) => answer?.forMs ?? 0));
      pauses.push(Math.ceil(longest / 5_000) * 5);
    }
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600]);
  });

  it('are asked about once by all who wait in one process', async () => {
    await note();
    await pauseOver();
    const { clientRefusals } = await fixture.reopen();
    const answers = await Promise.all(Array.from({ length: 50 }, async () => clientRefusals.admit(start, true)));
    expect(answers.filter((answer) => answer === null)).toHaveLength(1);
  });

  it('wait no longer because calls that had gone out before are refused as well', async () => {
    const pauses = [await note(), await note(), await note(await fixture.reopen())];
    pauses.forEach(({ forMs }) => expect(forMs).toBeLessThan(9_000));
  });

  it('go on when a call was accepted', async () => {
    await note();
    expect(await database.clientRefusals.accepted(start, false)).toBe(true);
    expect(await database.clientRefusals.accepted(start, true)).toBe(false);
    expect([await database.clientRefusals.admit(start, true), await admitted()]).toEqual([null, null]);
    expect(await refused()).toBe(0);
  });

  it('go on when somebody changes the token provider, and not when only its discovery is noted', async () => {
    await note();
    const discovery = { state: 'ok', checkedAt: new Date(), problem: null } as const;
    await database.tokenProviders.recordDiscovery(fixture.provider.id, discovery);
    expect(await refused()).toBe(1);
    await database.tokenProviders.update(fixture.provider.id, null, { ...fixture.provider, profile: 'keycloak' });
    expect(await refused()).toBe(0);
    expect(await admitted()).toBeNull();
  });

  it('are no alert any more when the rule has another version', async () => {
    await note();
    const [alert] = await database.clientRefusals.ofTokenProviders([fixture.provider.id]);
    expect(alert).toMatchObject({ rule: { id: fixture.rule.id }, call: 'start', error: 'invalid_client' });
    await database.rules.update(fixture.rule.id, null, { definition: fixture.rule.definition, clientSecret: 'new' });
    expect(await refused()).toBe(0);
  });

  it('go on when a check has found them accepted', async () => {
    await note();
    await database.clientRefusals.lift(start.rule);
    expect(await database.clientRefusals.admit(start, true)).toBeNull();
  });
});
