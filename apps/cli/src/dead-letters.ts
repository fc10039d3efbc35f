import { workQueueNames, type DeadLetterDocument } from '#lib/contracts';
import type { AssentApi } from './assent-api.js';
import { CommandProblem, exitCodes, painter, printable, type ExitCode, type Surroundings } from './terminal.js';

/** What `assent dead-letters` was asked to do. */
export type DeadLetterWish =
  | { readonly kind: 'list'; readonly queue: string | null; readonly json: boolean }
  | { readonly kind: 'show'; readonly id: string }
  | { readonly kind: 'replay'; readonly id: string }
  | { readonly kind: 'replay-all'; readonly queue: string | null }
  | { readonly kind: 'drop'; readonly id: string };

/**
 * Reads what was typed after `dead-letters`.
 *
 * @throws CommandProblem
 */
export function deadLetterWish(
  [verb = 'list', id, ...others]: readonly string[],
  flags: { readonly all: boolean; readonly queue?: string | undefined; readonly json: boolean },
): DeadLetterWish {
  const { all, json } = flags;
  const queue = flags.queue ?? null;
  if (others.length > 0) throw new CommandProblem('Give one id at a time.');
  if (queue !== null && !workQueueNames.some((name) => name === queue)) {
    throw new CommandProblem(`There is no queue "${printable(queue)}": there are ${workQueueNames.join(', ')}.`);
  }
  if (verb === 'list' && id === undefined) return { kind: 'list', queue, json };
  if (verb === 'replay' && all && id === undefined) return { kind: 'replay-all', queue };
  if (queue !== null) throw new CommandProblem('--queue goes with list and with replay --all.');
  if (verb === 'show' || verb === 'replay' || verb === 'drop') {
    if (id === undefined) throw new CommandProblem(`Say which: assent dead-letters ${verb} <id>.`);
    return { kind: verb, id };
  }
  throw new CommandProblem('It is dead-letters list, show <id>, replay <id>, replay --all, or drop <id>.');
}

/**
 * Looks at messages that were given up on, puts them back or takes them away.
 *
 * @throws CommandProblem when Assent could not be asked, or refuses.
 */
export async function deadLetters(wish: DeadLetterWish, api: AssentApi, at: Surroundings): Promise<ExitCode> {
  switch (wish.kind) {
    case 'list':
      return print(
        at,
        wish.json ? json(await api.deadLetters(wish.queue)) : listOf(await api.deadLetters(wish.queue), at),
      );
    case 'show':
      return print(at, json(await api.deadLetter(wish.id)));
    case 'replay':
      await api.replayDeadLetter(wish.id);
      return print(at, `Put back: ${printable(wish.id)}\n`);
    case 'replay-all':
      return print(at, await replayAll(api, wish.queue));
    case 'drop':
      await api.dropDeadLetter(wish.id);
      return print(at, `Dropped: ${printable(wish.id)}\n`);
  }
}

/** Until all that were there at the beginning have had their turn; what dies again meanwhile is left alone. */
async function replayAll(api: AssentApi, queue: string | null): Promise<string> {
  const first = await api.replayDeadLetters(queue);
  const there = first.replayed + first.left;
  let replayed = first.replayed;
  for (let last = first; replayed < there && last.replayed > 0 && last.left > 0; replayed += last.replayed) {
    last = await api.replayDeadLetters(queue);
  }
  return `Put back: ${Math.min(replayed, there)} of ${there}\n`;
}

function listOf(letters: readonly DeadLetterDocument[], { out, env }: Surroundings): string {
  if (letters.length === 0) return 'There are no dead letters.\n';
  const paint = painter(out, env);
  const entries = letters.map(({ id, queue, reason, attempts, ageSeconds, event }) => {
    const about = event === null ? 'no event' : `${event.type}  request ${event.subject}  event ${event.id}`;
    const age = ageSeconds === null ? 'age unknown' : `${ageSeconds} s ago`;
    return [
      `${paint('bold', id)}  ${queue}  ${age}, ${attempts} attempt${attempts === 1 ? '' : 's'}`,
      `  ${printable(about)}`,
      `  ${paint('red', printable(reason))}`,
    ].join('\n');
  });
  return `${entries.join('\n\n')}\n\n${letters.length === 100 ? 'The oldest 100' : `${letters.length} in all`}\n`;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

function print({ out }: Surroundings, text: string): ExitCode {
  out.write(text);
  return exitCodes.fine;
}
