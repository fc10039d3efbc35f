import { referencesIn, type ExportedConfiguration } from '#lib/contracts';
import { parse, stringify } from 'yaml';

/** A configuration as a file: YAML, with the schema that editors check it by and what has to be there to apply it. */
export function configurationFile(exported: ExportedConfiguration, origin: string): string {
  const targets = new Set(referencesIn(JSON.stringify(exported)).map(({ kind, target }) => `#   ${kind} ${target}\n`));
  const needs = targets.size === 0 ? '' : `# Where it is applied there have to be:\n${[...targets].join('')}`;
  const schema = `# yaml-language-server: $schema=${origin}/configuration.schema.json\n`;
  return `${schema}${needs}\n${stringify(exported, { lineWidth: 0 })}`;
}

/** The object that a text in YAML or JSON holds, or why it holds none. */
export function readConfiguration(text: string): { readonly document: object } | { readonly mistake: string } {
  try {
    const document = parse(text) as unknown;
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return { document };
    return { mistake: 'A configuration begins with its sections: rules, tokenProviders and so on.' };
  } catch (error) {
    return { mistake: `This is neither YAML nor JSON: ${(error as Error).message.split('\n')[0]}` };
  }
}
