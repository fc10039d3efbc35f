import type { Command } from '#lib/domain';
import type { ChangeResult, RequestStore } from '#lib/persistence';
import type { Log, Persevere } from '#lib/runtime';
import { invalidEvidence } from './verify-answer.js';

/**
 * Makes the end of a request final.
 *
 * The commit is repeated until the database has answered, never the poll: the provider gives its answer once, and ours
 * is the only copy. Repeating the commit is harmless, since it counts only while the request is still pending.
 */
export class ConcludeAuthentication {
  constructor(
    private readonly requests: Pick<RequestStore, 'change'>,
    private readonly persevere: Persevere,
    private readonly log: Log,
  ) {}

  /**
   * Resolves when there is nothing more to do about the request, or says that by the database's clock its deadline
   * has not come yet.
   *
   * @param onUnneededTokens called at most once, when the end is recorded and the tokens behind it serve nobody.
   * @throws GivenUp
   */
  async run(requestId: string, command: Command, onUnneededTokens?: () => void): Promise<'concluded' | 'not-due'> {
    const result = await this.persevere('Recording the end of a request', () =>
      this.requests.change(requestId, command),
    );
    if (result.kind === 'fenced-out')
      this.log.info('An end was fenced out: the shard has another owner', { requestId });
    if (leavesTokensUnneeded(command, result)) onUnneededTokens?.();
    const next = afterChange(command, result);
    return typeof next === 'string' ? next : this.run(requestId, next);
  }
}

/** What the database's answer to a conclusion means: the end, a deadline that has not come, or another conclusion. */
export function afterChange(command: Command, result: ChangeResult): 'concluded' | 'not-due' | Command {
  switch (result.kind) {
    case 'applied':
    case 'gone':
    // Whoever owns the shard now makes up its own mind.
    case 'fenced-out':
      return 'concluded';
    case 'evidence-reused':
      // One ID token or `auth_req_id` never serves two requests: for the second one it proves nothing.
      return invalidEvidence({ polls: 'polls' in command ? command.polls : 0 });
    case 'refused':
      return result.refusal.refused === 'not_due' ? 'not-due' : 'concluded';
  }
}

/**
 * Whether nobody will ever use the tokens behind a conclusion. In doubt somebody may: an end that was recorded before
 * may be that of the same tokens, and revoking one of them could end another that was released (RFC 7009 §2.1).
 */
export function leavesTokensUnneeded(command: Command, result: ChangeResult): boolean {
  const dropsTokens = command.type === 'approve' && command.releasedToken === null;
  switch (result.kind) {
    case 'applied':
      return dropsTokens || result.transition.to !== 'approved';
    case 'refused':
      return ['cancelled', 'denied', 'expired', 'failed', ...(dropsTokens ? ['approved'] : [])].includes(
        result.current.status,
      );
    case 'gone':
      return dropsTokens;
    // Another owner decides, or another request may have released the same token.
    case 'fenced-out':
    case 'evidence-reused':
      return false;
  }
}
