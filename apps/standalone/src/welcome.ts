/** What a person needs to know after `npm start`. */
export interface Welcome {
  readonly url: string;
  readonly apiKey: string;
  readonly dataDir: string;
  readonly sandbox: { readonly phoneUrl: string; readonly shopUrl: string } | null;
}

/** The text that `npm start` prints once everything answers. */
export function welcome({ url, apiKey, dataDir, sandbox }: Welcome): string {
  const lines = [
    '',
    '  Assent is running.',
    '',
    `  Console   ${url}/console`,
    ...(sandbox ? [`  Phone     ${sandbox.phoneUrl}/alice`, `  Shop      ${sandbox.shopUrl}`] : []),
    `  Docs      ${url}/docs`,
    `  API key   ${apiKey}`,
    `  Data      ${dataDir}`,
    '',
  ];
  if (sandbox) {
    lines.push(
      '  Ask alice for an approval: paste this line, then press Approve on her phone page.',
      '',
      `  ${curlLine(url, apiKey)}`,
      '',
    );
  }
  lines.push('  Ctrl-C stops everything; the data is kept.', '');
  return lines.join('\n');
}

/** One line that asks alice and answers when she has decided. */
const curlLine = (url: string, apiKey: string): string =>
  [
    `curl -sS ${url}/v1/authorization-requests`,
    `-H 'Authorization: Bearer ${apiKey}'`,
    `-H 'Content-Type: application/json'`,
    `-H 'Prefer: wait=60'`,
    `-d '{"rule":"Approve a payment","attributes":{"email":"alice@example.com","amount":"25 EUR"}}'`,
  ].join(' ');
