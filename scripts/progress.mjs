/** What the start and test commands tell the person who waits: one line a step, with the seconds it takes. */

const live = process.stdout.isTTY === true && process.env.CI === undefined;
const seconds = (startedAt) => Math.round((performance.now() - startedAt) / 1000);

/**
 * Runs one step and shows that it runs: a line that counts the seconds in a terminal, a line every ten seconds in a
 * log. `work` gets a function that replaces the note behind the title.
 */
export async function step(title, work) {
  const startedAt = performance.now();
  let note = '';
  const show = () => `${title}${note ? ` (${note})` : ''}`;
  const clear = () => live && process.stdout.write('\r\x1b[2K');
  process.stdout.write(live ? `  ${title}` : `  ${title} …\n`);
  const timer = setInterval(
    () => {
      clear();
      process.stdout.write(`  ${show()} … ${seconds(startedAt)} s${live ? '' : '\n'}`);
    },
    live ? 1_000 : 10_000,
  );
  try {
    const result = await work((text) => {
      note = text;
    });
    clear();
    console.log(`✔ ${show()}, ${seconds(startedAt)} s`);
    return result;
  } catch (error) {
    clear();
    console.log(`✘ ${title}, ${seconds(startedAt)} s`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Something that stops us and that the person can do something about: one sentence, no stack. */
export class Obstacle extends Error {}

/** Runs a script's main function; an obstacle ends it with its sentence and exit code 1. */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Obstacle ? `\n${error.message}\n` : error);
    process.exitCode ||= 1;
  }
}
