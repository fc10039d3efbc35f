/** What a part of a process does to hear what comes by `every-waiting-instance`. */
export interface Attention {
  /** Somebody waits here from now on. Safe to call twice. */
  begin(): void;
  /** Nobody waits here any more. Safe to call twice. */
  end(): void;
}

/** Whether anybody in this process waits just now; the transports of its bus bind and unbind accordingly. */
export class Attentiveness {
  /** The parts that wait, each by what it is told. */
  private readonly waiting = new Set<() => void>();
  private readonly followers: (() => void)[] = [];

  get paid(): boolean {
    return this.waiting.size > 0;
  }

  /** One more part that may wait; `hearing` is told each time what was not heard before is heard from then on. */
  attention(hearing: () => void): Attention {
    // Two parts may give the same function.
    const part = (): void => hearing();
    return {
      begin: () => this.change(() => this.waiting.add(part)),
      end: () => this.change(() => this.waiting.delete(part)),
    };
  }

  /** Calls a transport whenever `paid` has changed. */
  follow(changed: () => void): void {
    this.followers.push(changed);
  }

  /** A transport has begun to hear. */
  heard(): void {
    for (const tell of [...this.waiting]) tell();
  }

  private change(make: () => void): void {
    const before = this.paid;
    make();
    if (this.paid !== before) for (const changed of this.followers) changed();
  }
}
