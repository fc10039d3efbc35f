import type { TokenProvider } from '#lib/contracts';
import type { AssentApi } from './assent-api.js';
import { reportOf, type Visit } from './doctor-report.js';
import { CommandProblem, exitCodes, painter, printable, type ExitCode, type Surroundings } from './terminal.js';

/** What `assent doctor` was asked to do. */
export interface DoctorWish {
  /** Name or id; null: every token provider. */
  readonly provider: string | null;
  readonly json: boolean;
}

/**
 * Has Assent look at its token providers and shows what it found.
 *
 * @throws CommandProblem when Assent could not be asked.
 */
export async function doctor(wish: DoctorWish, api: AssentApi, { out, env }: Surroundings): Promise<ExitCode> {
  const all = await api.tokenProviders();
  const chosen = wish.provider === null ? all : [choose(all, wish.provider)];
  const visits: Visit[] = [];
  // One after the other: a look makes many calls already.
  for (const provider of chosen) visits.push({ provider, check: await api.check(provider) });
  if (wish.json) {
    const providers = visits.map(({ provider: { id, name, issuer }, check }) => ({ id, name, issuer, ...check }));
    out.write(`${JSON.stringify({ ok: visits.every(({ check }) => check.ok), providers }, null, 2)}\n`);
  } else {
    const width = Math.min(Math.max(out.columns ?? 100, 40), 120);
    out.write(visits.length === 0 ? noProviders : reportOf(visits, { paint: painter(out, env), width }));
  }
  return visits.every(({ check }) => check.ok) ? exitCodes.fine : exitCodes.foundErrors;
}

const noProviders = `There is no token provider yet, so there is nothing to look at.

Create one, then a rule that asks it:

  curl -X POST "$ASSENT_URL/v1/token-providers" \\
    -H "Authorization: Bearer $ASSENT_API_KEY" -H 'Content-Type: application/json' \\
    -d '{"name": "Bank login", "issuer": "https://login.example.com"}'
`;

/** An id is nobody else's name. */
function choose(all: readonly TokenProvider[], wanted: string): TokenProvider {
  const found = all.find(({ id }) => id === wanted.toLowerCase()) ?? all.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  const names = all.slice(0, 10).map(({ name }) => `"${printable(name)}"`);
  const known = names.length === 0 ? 'there is none' : `there are ${names.join(', ')}${all.length > 10 ? ', …' : ''}`;
  throw new CommandProblem(`No token provider has the name or id "${printable(wanted)}": ${known}.`);
}
