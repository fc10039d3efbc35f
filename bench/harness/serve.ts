interface Call {
  readonly number: number;
  readonly command: string;
  readonly value: unknown;
}

/** What a program can do, by command. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each command has an argument of its own
export type Commands = Readonly<Record<string, (value: any) => unknown>>;

/** The program's side of `Program`: answers calls, one message each; ends with the process that started it. */
export function serve(commands: Commands): void {
  const answer = async ({ number, command, value }: Call) => {
    try {
      const run = commands[command];
      if (run === undefined) throw new Error(`there is no command "${command}"`);
      process.send!({ number, value: await run(value) });
    } catch (error) {
      process.send!({ number, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  };
  process.on('message', (call: Call) => void answer(call));
  process.once('disconnect', () => process.exit(0));
}
