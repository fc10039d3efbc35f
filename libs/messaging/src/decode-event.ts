import { cloudEvent, type CloudEvent } from '#lib/contracts';
import { Malformed } from './failures.js';

/** Far above every event we send; a larger message is not one of ours. */
const longestBodyBytes = 1_048_576;

/**
 * Reads a CloudEvent in structured mode.
 *
 * @throws Malformed with a reason that quotes nothing of the message.
 */
export function decodeEvent(body: Buffer): CloudEvent {
  if (body.length > longestBodyBytes) throw new Malformed(`longer than ${longestBodyBytes} bytes`);
  const read = cloudEvent.safeParse(parseJson(body));
  if (read.success) return read.data;
  const problems = read.error.issues.map((issue) => `${issue.path.join('.') || 'the message'}: ${issue.message}`);
  throw new Malformed(`not a CloudEvent: ${problems.join('; ')}`);
}

/** Whether it says more, or otherwise, than this version of Assent understands: types end in `.v1` here. */
export const isOfLaterVersion = ({ type }: CloudEvent): boolean => Number(/\.v(\d{1,9})$/.exec(type)?.[1] ?? 1) > 1;

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's own message quotes the text.
    throw new Malformed('not JSON');
  }
}
