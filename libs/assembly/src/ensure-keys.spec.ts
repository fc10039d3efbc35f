import { describe, expect, it } from '@jest/globals';
import { ensureKeys } from './ensure-keys.js';

/** A store that fails so, one call after the other, and then has its keys. */
function store(...faults: Error[]) {
  let calls = 0;
  return {
    ensure: () => {
      const fault = faults[calls++];
      return fault === undefined ? Promise.resolve() : Promise.reject(fault);
    },
    calls: () => calls,
  };
}

const reset = () => Object.assign(new Error('connect ECONNRESET 127.0.0.1:5432'), { code: 'ECONNRESET' });

describe('the keys of a process that starts', () => {
  it('are waited for while the database has gone away again', async () => {
    const [signingKeys, encryptionKeys] = [store(reset(), reset()), store()];
    await ensureKeys({ signingKeys, encryptionKeys });
    expect(signingKeys.calls()).toBe(3);
  });

  it('are not waited for when waiting does not help', async () => {
    const wrong = new Error('permission denied for table signing_keys');
    await expect(ensureKeys({ signingKeys: store(), encryptionKeys: store(wrong) })).rejects.toBe(wrong);
  });

  it('are given up when the process is to stop', async () => {
    const stop = new AbortController();
    const signingKeys = { ensure: () => (stop.abort(new Error('stopped')), Promise.reject(reset())) };
    await expect(ensureKeys({ signingKeys, encryptionKeys: store() }, stop.signal)).rejects.toThrow();
  });
});
