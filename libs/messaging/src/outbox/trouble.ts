import { messageOf } from '../failures.js';
import type { Log } from '../log.js';

/** Something that may be wrong for a while: logged when it begins and when it ends, however often it shows. */
export class Trouble {
  private present = false;

  constructor(
    private readonly log: Log,
    private readonly name: string,
    private readonly detail: object = {},
  ) {}

  get lasts(): boolean {
    return this.present;
  }

  shows(thrown: unknown): void {
    if (!this.present) this.log('warn', this.name, { ...this.detail, reason: messageOf(thrown) });
    this.present = true;
  }

  isOver(): void {
    if (this.present) this.log('info', `no longer: ${this.name}`, this.detail);
    this.present = false;
  }
}
