import { describe, expect, it } from '@jest/globals';
import { requestIdOf } from './request-id.js';

const idFor = (given: string | undefined) => requestIdOf({ headers: { 'x-request-id': given } });

describe('the id of a call', () => {
  it.each(['1', 'req-7', '0198c0de-0000-7000-8000-000000000001', 'a/b:c+d=e.f'])('is the one that came: %s', (id) => {
    expect(idFor(id)).toBe(id);
  });

  it.each([undefined, '', 'a b', 'a\nb', 'ä', '"', 'x'.repeat(129)])('is a new one instead of %j', (given) => {
    expect(idFor(given)).toMatch(/^[0-9a-f-]{36}$/);
    expect(idFor(given)).not.toBe(idFor(given));
  });
});
