/**
 * Preloaded into a process (`--import`): shifts its wall clock by the milliseconds that stand in the file that
 * ASSENT_TEST_CLOCK_FILE names, as a wrong clock or a step of it would. The monotonic clock goes on undisturbed.
 */
import { readFileSync } from 'node:fs';

const file = process.env.ASSENT_TEST_CLOCK_FILE;
const Real = Date;
let offsetMs = 0;
const read = () => {
  offsetMs = Number(readFileSync(file, 'utf8')) || 0;
};
read();
setInterval(read, 50).unref();

globalThis.Date = class Date extends Real {
  constructor(...parts) {
    if (parts.length === 0) super(Real.now() + offsetMs);
    else super(...parts);
  }

  static now() {
    return Real.now() + offsetMs;
  }
};
