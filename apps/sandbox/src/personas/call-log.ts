export type LoggedEndpoint = 'backchannel' | 'token';

/** One call as it is shown to whoever develops a client; nothing in it is secret here. */
export interface LoggedCall {
  readonly endpoint: LoggedEndpoint | 'notification';
  /** Moments in ms since the epoch. */
  readonly receivedAtMs: number;
  readonly answeredAtMs: number;
  readonly clientId: string | null;
  readonly status: number;
  readonly error: unknown;
  readonly authReqId: unknown;
  /** How the client proved who it is; the real provider tells. */
  readonly authentication?: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

const keptCalls = 500;
const hidden = ['client_secret', 'client_assertion', 'client_notification_token', 'user_code'];

/** The latest calls of one provider, oldest first. */
export class CallLog {
  readonly #calls: LoggedCall[] = [];

  add(call: LoggedCall, form: URLSearchParams | null): void {
    const parameters = Object.fromEntries([...(form ?? [])].filter(([name]) => !hidden.includes(name)));
    this.#calls.push({ ...call, parameters });
    if (this.#calls.length > keptCalls) this.#calls.shift();
  }

  all(): readonly LoggedCall[] {
    return this.#calls;
  }
}
