import { Lane, type Defects } from './lane.js';
import { MeetingPlace, type MeetingResult } from './meet.js';
import type { Meeting } from './plan.js';

/** Does work on several lanes side by side: each takes the next piece when it has done the last. */
export async function onLanes<Piece, Result>(
  lanes: number,
  pieces: readonly Piece[],
  work: (place: MeetingPlace, piece: Piece) => Promise<Result>,
  options: { readonly processes?: number; readonly defects?: Defects } = {},
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  // One after the other: to make databases side by side takes no less time, and everything else stands still meanwhile.
  let opened: Promise<unknown> = Promise.resolve();
  const openInTurn = () => {
    const lane = opened.then(() => Lane.open(options.processes ?? 2, options.defects));
    opened = lane.catch(() => undefined);
    return lane;
  };
  const run = async () => {
    const lane = await openInTurn();
    try {
      const place = new MeetingPlace(lane);
      while (next < pieces.length) results.push(await work(place, pieces[next++]!));
    } finally {
      next = pieces.length;
      await lane.close();
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(lanes, pieces.length) }, run));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  return results;
}

/** Every order of every one of these meetings. */
export const exploreAll = (
  meetings: readonly Meeting[],
  lanes: number,
  tell: (result: MeetingResult) => void = () => undefined,
): Promise<MeetingResult[]> =>
  onLanes(lanes, dealt(meetings), async (place, meeting) => {
    const result = await place.everyOrder(meeting);
    tell(result);
    return result;
  });

/** Like cards: neighbours, which are alike, end up far from each other, so that those who wait for a deadline do not all wait at once. */
const dealt = <Item>(items: readonly Item[], hands = 17): Item[] =>
  Array.from({ length: hands }, (_, hand) => items.filter((_item, index) => index % hands === hand)).flat();
