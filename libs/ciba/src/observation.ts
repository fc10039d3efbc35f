import type { FindingCode } from '#lib/contracts';

const shown = 20;

/** What was found, before the words of the catalogue are added. */
export interface Observation {
  readonly code: FindingCode;
  readonly detail: string;
  readonly rule?: { readonly id: string; readonly name: string };
}

/** An observation about the provider as a whole; whoever judges a rule adds which. */
export function observe(code: FindingCode, detail: string): Observation {
  return { code, detail };
}

/** Words of a stranger, made safe to show: printable, at most 20 of at most 100 characters; `nothing` for none. */
export function words(values: readonly string[]): string {
  if (values.length === 0) return 'nothing';
  const clean = values.slice(0, shown).map((value) => value.slice(0, 100).replace(/[^\x20-\x7E]/g, '\uFFFD'));
  return clean.join(', ') + (values.length > shown ? `, and ${values.length - shown} more` : '');
}
