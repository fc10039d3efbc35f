import { describe, expect, it } from '@jest/globals';
import { isUnavailable } from './errors.js';

describe('a database that is not available', () => {
  it.each(['08006', '25006', '53100', '53300', '57P01', '55P03', '57014', '40001', '40P01'])(
    'says so by SQLSTATE %s',
    (code) => {
      expect(isUnavailable(Object.assign(new Error('no'), { code }))).toBe(true);
    },
  );

  it.each(['23505', '22P05', '42601'])('is not what SQLSTATE %s means', (code) => {
    expect(isUnavailable(Object.assign(new Error('no'), { code }))).toBe(false);
  });
});
