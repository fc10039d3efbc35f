/** The program's side of `bench/harness/program.ts`: answers calls, and ends with the process that started it. */
export function serve(commands) {
  process.on('message', async ({ number, command, value }) => {
    try {
      process.send({ number, value: await commands[command](value) });
    } catch (error) {
      process.send({ number, error: error.stack ?? String(error) });
    }
  });
  process.once('disconnect', () => process.exit(0));
}
