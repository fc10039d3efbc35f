import { parseArgs } from 'node:util';
import { assentVersion } from '#lib/contracts';
import { AssentApi } from './assent-api.js';
import { doctor } from './doctor.js';
import { CommandProblem, exitCodes, type ExitCode, type Surroundings } from './terminal.js';

const usage = `Usage: assent doctor [token provider] [--json]

Looks at one token provider (by name or id) or at all of them, and at what their rules ask: discovery,
TLS, clock, CIBA, keys, and whether each client is accepted. Nobody is prompted.

  --json      print what was found as JSON
  --help      print this
  --version   print the version

ASSENT_URL       where Assent is; http://127.0.0.1:3000 when not set
ASSENT_API_KEY   an API key with the scope admin:write

Exit code: 0 nothing is wrong, 2 something is, 1 it could not be found out.
`;

/** Runs one command; never rejects for what was typed or what Assent answers. */
export async function runCli(surroundings: Surroundings): Promise<ExitCode> {
  try {
    return await run(surroundings);
  } catch (error) {
    if (!(error instanceof CommandProblem)) throw error;
    surroundings.err.write(`assent: ${error.message}\n`);
    return exitCodes.notAsked;
  }
}

async function run(surroundings: Surroundings): Promise<ExitCode> {
  const { values, positionals } = read(surroundings.args);
  if (values.help) return print(surroundings, usage);
  if (values.version) return print(surroundings, `${assentVersion}\n`);
  const [command, provider = null, ...others] = positionals;
  if (command === undefined) throw new CommandProblem('Say what to do: assent doctor (assent --help tells more).');
  if (command !== 'doctor')
    throw new CommandProblem(`There is no command "${command}": assent --help tells which are.`);
  if (others.length > 0) throw new CommandProblem('Give one token provider or none; put a name with blanks in quotes.');
  return doctor({ provider, json: values.json }, AssentApi.from(surroundings.env), surroundings);
}

function read(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { json: flag, help: { ...flag, short: 'h' }, version: flag },
      allowPositionals: true,
    });
  } catch (error) {
    throw new CommandProblem(`${(error as Error).message.split('. ')[0]}: assent --help tells what is.`);
  }
}

function print({ out }: Surroundings, text: string): ExitCode {
  out.write(text);
  return exitCodes.fine;
}
