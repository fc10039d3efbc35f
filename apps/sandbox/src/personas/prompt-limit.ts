const minuteMs = 60_000;

/** How often one person may be asked in a minute. */
export class PromptLimit {
  readonly #prompts = new Map<string, number[]>();

  constructor(private readonly perMinute: number) {}

  /** Counts a prompt and answers 0, or answers how many seconds it is too early. */
  take(account: string, nowMs: number): number {
    const recent = (this.#prompts.get(account) ?? []).filter((atMs) => nowMs - atMs < minuteMs);
    this.#prompts.set(account, recent);
    if (recent.length >= this.perMinute) return Math.ceil((recent[0]! + minuteMs - nowMs) / 1000);
    recent.push(nowMs);
    return 0;
  }
}
