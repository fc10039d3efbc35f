import { ChainBroken, ChainVerifier, type ChainedEvent, type ChainSummary } from '#lib/domain';
import type { AssentApi } from './assent-api.js';
import { isSignedBy, keysFromFile, logOfApi, logOfFile, sha256, trustedKeys, type AuditLine } from './audit-log.js';
import { CommandProblem, exitCodes, painter, type ExitCode, type Surroundings } from './terminal.js';

/** What `assent audit` was asked to do. */
export type AuditWish =
  | { readonly kind: 'export' }
  | {
      readonly kind: 'verify';
      /** Null: over the API; `-`: what is piped in. */
      readonly file: string | null;
      /** A key set; null: the one that Assent publishes. */
      readonly keys: string | null;
      readonly anchors: readonly { readonly sequence: number; readonly hash: string }[];
    };

/**
 * Reads what was typed after `audit`.
 *
 * @throws CommandProblem
 */
export function auditWish(
  [verb, ...others]: readonly string[],
  flags: {
    readonly file?: string | undefined;
    readonly keys?: string | undefined;
    readonly anchor?: readonly string[] | undefined;
  },
): AuditWish {
  const { file = null, keys = null, anchor = [] } = flags;
  if (others.length > 0 || (verb !== 'verify' && verb !== 'export')) {
    throw new CommandProblem('It is audit verify or audit export.');
  }
  if (verb === 'export') {
    if (file !== null || keys !== null || anchor.length > 0) throw new CommandProblem('audit export takes no options.');
    return { kind: 'export' };
  }
  return { kind: 'verify', file, keys, anchors: anchor.map(anchorOf) };
}

function anchorOf(text: string): { sequence: number; hash: string } {
  const [, sequence, hash] = /^([1-9]\d{0,15}):([A-Za-z0-9_-]{43})$/.exec(text) ?? [];
  if (sequence === undefined || hash === undefined) {
    throw new CommandProblem('An anchor is <sequence>:<hash>, as the log of the decision service tells them.');
  }
  return { sequence: Number(sequence), hash };
}

/**
 * Follows the audit log and says whether it is what was sealed; or writes it out, a line of JSON each.
 *
 * @throws CommandProblem when the log could not be read
 */
export async function audit(wish: AuditWish, api: () => AssentApi, at: Surroundings): Promise<ExitCode> {
  if (wish.kind === 'export') {
    for await (const line of logOfApi(api())) at.out.write(`${JSON.stringify(line)}\n`);
    return exitCodes.fine;
  }
  const keys =
    wish.keys === null ? trustedKeys(await api().keySet(), 'What Assent publishes') : await keysFromFile(wish.keys);
  const lines = wish.file === null ? logOfApi(api()) : logOfFile(wish.file, at);
  const checks = { sha256, anchors: wish.anchors, verifySignature: isSignedBy.bind(null, keys) };
  const found = await follow(lines, new ChainVerifier(checks));
  const paint = painter(at.out, at.env);
  if (found instanceof ChainBroken) {
    at.out.write(`${paint('red', 'The audit log is broken.')}\n${found.message}\n`);
    return exitCodes.broken;
  }
  at.out.write(`${paint('green', 'The audit log is whole.')}\n${summaryOf(found)}`);
  return exitCodes.fine;
}

async function follow(lines: AsyncIterable<AuditLine>, verifier: ChainVerifier): Promise<ChainSummary | ChainBroken> {
  try {
    for await (const line of lines) {
      if ('head' in line) verifier.head(line.head);
      else if (line.event.sequence === null) throw new CommandProblem(`Event ${line.event.id} has not been sealed.`);
      else verifier.event(line.event as ChainedEvent);
    }
    return verifier.end();
  } catch (error) {
    if (error instanceof ChainBroken) return error;
    throw error;
  }
}

function summaryOf({ events, heads, erased, lastSequence, lastHash }: ChainSummary): string {
  const people = erased === 0 ? '' : `, ${erased} of them without the person, who was erased`;
  const anchor = events === 0 ? '' : `Keep this elsewhere: --anchor ${lastSequence}:${lastHash}\n`;
  return `${events} events${people}, sealed by ${heads} heads.\n${anchor}`;
}
