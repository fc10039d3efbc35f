import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

type Line = Readonly<Record<string, unknown>>;

/** The plainest questions that can be put to a history; the checker asks the others. Answers what is wrong. */
export async function checkSanity(folder: string): Promise<string[]> {
  const read = async (name: string): Promise<Line[]> =>
    (await readFile(join(folder, name), 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  const requests = await read('database/authorization_requests.jsonl');
  const problems: string[] = [];
  const open = requests.filter((row) => row['ended_at'] === null || row['decision_id'] === null);
  if (open.length > 0)
    problems.push(`${open.length} requests have no end or no decision, such as ${String(open[0]!['id'])}`);

  const stored = new Set(requests.map((row) => row['id']));
  const answered = (await read('clients.jsonl')).filter(({ kind }) => kind === 'answered');
  const lost = answered.filter(
    ({ op, status, requestId }) => op === 'submit' && Number(status) < 300 && !stored.has(requestId),
  );
  if (lost.length > 0) problems.push(`${lost.length} accepted requests are not in the database`);

  const ledger = await read('provider.jsonl');
  const granted = new Set(ledger.filter(({ said }) => said === 'tokens').map((line) => line['idTokenSha256']));
  const forged = requests.filter((row) => row['status'] === 'approved' && !granted.has(row['id_token_sha256']));
  if (forged.length > 0) problems.push(`${forged.length} approvals rest on tokens that the provider never gave`);
  return problems;
}
