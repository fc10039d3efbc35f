import { describe, expect, it } from '@jest/globals';
import { CommitWatch, ConfirmWatch, ReplyThief } from './wire-faults.js';

const message = (type: string, body: string | Buffer): Buffer => {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(type.length + 4);
  head.write(type);
  head.writeInt32BE(bytes.length + 4, type.length);
  return Buffer.concat([head, bytes]);
};
const startUp = message('', 'user');
const query = (sql: string): Buffer => message('Q', `${sql}\0`);
const prepared = (name: string, sql: string): Buffer =>
  Buffer.concat([
    message('P', `${name}\0${sql}\0\0\0`),
    message('B', `\0${name}\0`),
    message('E', '\0\0\0\0\0'),
    message('S', ''),
  ]);
const ready = Buffer.concat([message('C', 'INSERT 0 1\0'), message('Z', 'I')]);

describe('the loss of the answer to a commit', () => {
  const watched = () => {
    const thief = new ReplyThief();
    const watch = new CommitWatch(thief);
    watch.pass('up', startUp);
    return { thief, watch };
  };

  it.each([
    ['COMMIT', [query('begin'), query('insert into t values (1)')], query('commit')],
    ['a writing statement alone', [], prepared('w', 'with input as (select 1) insert into t select * from input')],
    [
      'the same statement again, by its name',
      [prepared('w', 'update t set a = 1')],
      prepared('w', 'update t set a = 1'),
    ],
  ])(
    '%s: nothing of the answer passes, and the connection ends once the server is done',
    async (_what, before, last) => {
      const { thief, watch } = watched();
      for (const each of before) expect([watch.pass('up', each), watch.pass('down', ready)]).toEqual([each, ready]);
      const stolen = thief.steal(1, 1_000);
      expect(watch.pass('up', last)).toEqual(last);
      expect(watch.pass('down', ready.subarray(0, 7))).toHaveLength(0);
      expect(watch.pass('down', ready.subarray(7))).toBe('cut');
      expect(await stolen).not.toBeNull();
    },
  );

  it('leaves reading statements and those inside a transaction alone', async () => {
    const { thief, watch } = watched();
    const stolen = thief.steal(1, 20);
    for (const each of [
      query('select 1'),
      query('begin'),
      prepared('w', 'insert into t values (1)'),
      query('rollback'),
    ]) {
      watch.pass('up', each);
      expect(watch.pass('down', ready)).toEqual(ready);
    }
    expect(await stolen).toBeNull();
  });

  it('reads messages that arrive byte by byte, and takes the n-th', async () => {
    const { thief, watch } = watched();
    const stolen = thief.steal(2, 1_000);
    for (const byte of prepared('w', 'delete from t')) watch.pass('up', Buffer.from([byte]));
    expect(watch.pass('down', ready)).toEqual(ready);
    for (const byte of prepared('w', 'delete from t')) watch.pass('up', Buffer.from([byte]));
    expect(watch.pass('down', ready)).toBe('cut');
    expect(await stolen).not.toBeNull();
  });
});

describe('the loss of a confirm', () => {
  const frame = (type: number, payload: readonly number[]): Buffer => {
    const head = Buffer.alloc(7);
    head[0] = type;
    head.writeUInt32BE(payload.length, 3);
    return Buffer.concat([head, Buffer.from(payload), Buffer.from([0xce])]);
  };
  const deliver = frame(1, [0, 60, 0, 60, 1, 2, 3]);
  const ack = frame(1, [0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
  const body = frame(3, [0, 60, 0, 80, 9, 9, 9, 9]);

  it('ends the connection at the n-th basic.ack of the broker, wherever it is split', async () => {
    const thief = new ReplyThief();
    const watch = new ConfirmWatch(thief);
    const stolen = thief.steal(2, 1_000);
    for (const each of [deliver, body, ack, deliver]) expect(watch.pass('down', each)).toEqual(each);
    expect(watch.pass('down', ack.subarray(0, 9))).toEqual(ack.subarray(0, 9));
    expect(watch.pass('down', ack.subarray(9))).toBe('cut');
    expect(await stolen).not.toBeNull();
  });
});
