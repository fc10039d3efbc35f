import { parseArgs } from 'node:util';
import { assentVersion } from '#lib/contracts';
import { AssentApi } from './assent-api.js';
import { audit, auditWish } from './audit.js';
import { configurationCommand, configurationCommands, configurationWish } from './configuration/configuration.js';
import { importPingAccess, importWish } from './configuration/import-pingaccess.js';
import { deadLetters, deadLetterWish } from './dead-letters.js';
import { doctor } from './doctor.js';
import { CommandProblem, exitCodes, type ExitCode, type Surroundings } from './terminal.js';

const usage = `Usage: assent doctor [token provider] [--json]
       assent dead-letters [list] [--queue <queue>] [--json]
       assent dead-letters show <id>
       assent dead-letters replay <id>
       assent dead-letters replay --all [--queue <queue>]
       assent dead-letters drop <id>
       assent audit verify [--file <file>] [--keys <file>] [--anchor <sequence>:<hash>]…
       assent audit export
       assent validate <file or folder>… [--json]
       assent diff <file or folder>… [--prune] [--json]
       assent apply <file or folder>… [--prune] [--dry-run] [--json]
       assent export [--without-secrets] [--json]
       assent import pingaccess <file> [--dry-run] [--input <key>=<value>]… [--leave-out-incomplete]
                                [--rule-class <class>] [--json]

doctor

Looks at one token provider (by name or id) or at all of them, and at what their rules ask: discovery,
TLS, clock, CIBA, keys, and whether each client is accepted. Nobody is prompted.

dead-letters
Messages between the services that were given up on: which there are and why, and what is to become of
them. A replayed message goes back to its queue as if it were new.

audit
Follows the record of administration and decisions from its first event and names the first place, if any,
that is not what was sealed; or writes it out, a line of JSON each.

validate, diff, apply, export
Everything that is administered as one configuration in YAML: checked without asking anybody, compared with
what there is, made so as a whole or not at all, or written out. \${env:NAME} and \${file:path} stand for
secrets. docs/configuration-as-code.md tells all of it.

import pingaccess
Takes over from an export of PingAccess what Assent has too, all of it or nothing, and shows what becomes
of what. docs/migrating-from-pingaccess.md tells what to do about what is missing.

  --prune     delete what the configuration leaves out, in the sections that it has
  --dry-run   do it all and take it back
  --without-secrets
              leave secrets out, so that they stay as they are, instead of naming where they are kept
  --input     what an export does not tell, by the key that the table names; may be given more than once
  --leave-out-incomplete
              import the rest where something is missing
  --rule-class
              the class of one-time-authorization rules, where they are not recognised
  --file      an exported log instead of the one that Assent shows; - for what is piped in
  --keys      a key set that was kept elsewhere, instead of the one that Assent publishes
  --anchor    what the log was known to hold earlier; may be given more than once
  --json      print what was found as JSON
  --queue     only this queue
  --all       all that are there
  --help      print this
  --version   print the version

ASSENT_URL       where Assent is; http://127.0.0.1:3000 when not set
ASSENT_API_KEY   an API key with the scope admin:write (to list, show
                 and export: admin:read)

Exit code: 0 nothing is wrong, 2 something is (diff: something differs), 1 it could not be found out, the
configuration is refused, or the audit log is broken.
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
  const [command, ...words] = positionals;
  switch (command) {
    case undefined:
      throw new CommandProblem(
        'Say what to do: assent doctor, dead-letters, audit, validate, diff, apply, export, import (assent --help tells more).',
      );
    case 'doctor':
      return runDoctor(words, values.json, surroundings);
    case 'dead-letters': {
      const wish = deadLetterWish(words, values);
      return deadLetters(wish, AssentApi.from(surroundings.env), surroundings);
    }
    case 'audit':
      return audit(auditWish(words, values), () => AssentApi.from(surroundings.env), surroundings);
    case 'import':
      return importPingAccess(importWish(words, values), AssentApi.from(surroundings.env), surroundings);
    default: {
      const known = configurationCommands.find((one) => one === command);
      if (known !== undefined) {
        const wish = configurationWish(known, words, values);
        return configurationCommand(wish, () => AssentApi.from(surroundings.env), surroundings);
      }
      throw new CommandProblem(`There is no command "${command}": assent --help tells which are.`);
    }
  }
}

function runDoctor(
  [provider = null, ...others]: readonly (string | null)[],
  json: boolean,
  surroundings: Surroundings,
): Promise<ExitCode> {
  if (others.length > 0) throw new CommandProblem('Give one token provider or none; put a name with blanks in quotes.');
  return doctor({ provider, json }, AssentApi.from(surroundings.env), surroundings);
}

function read(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ json: flag, all: flag, queue: text, file: text, keys: text, anchor: { type: 'string', multiple: true } },
        ...{ prune: flag, 'dry-run': flag, 'without-secrets': flag },
        ...{ input: { type: 'string', multiple: true }, 'rule-class': text, 'leave-out-incomplete': flag },
        ...{ help: { ...flag, short: 'h' }, version: flag },
      },
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
