/** Thrown by a handler that knows that trying again is in vain: the message goes to the dead queue at once. */
export class GiveUp extends Error {
  override readonly name = 'GiveUp';
}

/** The broker took the message and no queue wanted it. */
export class Unroutable extends Error {
  override readonly name = 'Unroutable';

  constructor(exchange: string, routingKey: string) {
    super(`no queue takes ${routingKey} from ${exchange === '' ? 'the default exchange' : exchange}`);
  }
}

/** The broker is there and did not take the message: a queue that it belongs to is full. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** The message cannot be read as an event. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** The message of whatever was thrown, short enough for a header. */
export function messageOf(thrown: unknown): string {
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return text.slice(0, 500);
}
