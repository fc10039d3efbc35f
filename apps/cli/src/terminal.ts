/** Where a command runs: what it was given, and where it writes. */
export interface Surroundings {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
  readonly err: Output;
  /** What is piped in. */
  readonly input?: NodeJS.ReadableStream;
}

/** A stream of text; a terminal knows its width. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** What the process ends with. */
export const exitCodes = { fine: 0, notAsked: 1, broken: 1, foundErrors: 2, differs: 2 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The command could not be carried out; the message is one sentence for the person who typed it. */
export class CommandProblem extends Error {
  override readonly name = 'CommandProblem';
}

export type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold';
const colourCodes: Readonly<Record<Colour, string>> = { red: '31', yellow: '33', green: '32', dim: '2', bold: '1' };

/** Colours text for a terminal, and leaves it alone everywhere else (https://no-color.org). */
export function painter(out: Output, env: Surroundings['env']): (colour: Colour, text: string) => string {
  const colourful = out.isTTY === true && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return (colour, text) => (colourful ? `\u001b[${colourCodes[colour]}m${text}\u001b[0m` : text);
}

/** Breaks text between words; every line starts with the indentation. */
export function wrap(text: string, indentation: string, width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indentation.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((text) => `${indentation}${text}`).join('\n');
}

/** What a stranger's text may not do: move the cursor, change colours, or break lines. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD');
}
