import type { ProviderFinding, TokenProvider } from '#lib/contracts';
import { providerFindings } from '#lib/contracts';
import { describe, expect, it } from '@jest/globals';
import { reportOf } from './doctor-report.js';
import { painter, wrap } from './terminal.js';

const provider = { name: 'Bank', issuer: 'https://op.example' } as TokenProvider;
const finding = (code: keyof typeof providerFindings, change: Partial<ProviderFinding> = {}): ProviderFinding => ({
  code,
  ...providerFindings[code],
  detail: 'What was seen.',
  ...change,
});
const plain = painter({ write: () => true }, {});
const reportFor = (...findings: ProviderFinding[]) =>
  reportOf([{ provider, check: { checkedAt: '', ok: true, findings } }], { paint: plain, width: 60 });

describe('a report', () => {
  it('says that all is well', () => {
    expect(reportFor()).toBe('Bank  https://op.example\n  fine\n\n1 token provider: 0 errors, 0 warnings\n');
  });

  it('aligns what was found with what to do, within the width', () => {
    expect(reportFor(finding('tls_certificate_expired'), finding('clock_difference'))).toBe(
      [
        'Bank  https://op.example',
        '  error    The server certificate has expired · tls · tls_certificate_expired',
        '           What was seen.',
        '           → Renew the provider’s server certificate.',
        '  warning  The clocks differ · clock · clock_difference',
        '           What was seen.',
        '           → Synchronise both clocks (NTP); beyond 60',
        '           seconds approvals are refused.',
        '',
        '1 token provider: 1 error, 1 warning',
        '',
      ].join('\n'),
    );
  });

  it('lets nobody else write to the terminal', () => {
    const text = reportFor(finding('clock_difference', { detail: 'a\u001b[2Jb\nc' }));
    expect(text).toContain('a\uFFFD[2Jb\uFFFDc');
  });
});

describe('colours', () => {
  const terminal = { isTTY: true, write: () => true };
  it.each([
    ['a terminal', terminal, {}, '\u001b[31mx\u001b[0m'],
    ['a terminal of somebody who wants none', terminal, { NO_COLOR: '1' }, 'x'],
    ['a terminal whose NO_COLOR is empty', terminal, { NO_COLOR: '' }, '\u001b[31mx\u001b[0m'],
    ['a dumb terminal', terminal, { TERM: 'dumb' }, 'x'],
    ['a file', { write: () => true }, {}, 'x'],
  ])('in %s', (_, out, env, expected) => {
    expect(painter(out, env)('red', 'x')).toBe(expected);
  });
});

it('keeps a word that is wider than the page in one piece', () => {
  expect(wrap('a bbbbbbbbbb c', '  ', 6)).toBe('  a\n  bbbbbbbbbb\n  c');
});
