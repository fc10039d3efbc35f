/** Lets calls through while it is open, and holds them while it is closed: nobody has to be stopped in the middle of one. */
export class Gate {
  #closed: { readonly opened: Promise<void>; readonly open: () => void } | null = null;

  close(): void {
    if (this.#closed !== null) return;
    let open = () => undefined as void;
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.#closed = { opened, open };
  }

  open(): void {
    this.#closed?.open();
    this.#closed = null;
  }

  /** Null while it is open: whoever does not have to wait does not wait a turn either. */
  get opened(): Promise<void> | null {
    return this.#closed?.opened ?? null;
  }
}
