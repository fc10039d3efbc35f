/**
 * Texts of a configuration that stand for others: `${env:NAME}`, `${file:path}` and `${base64:path}`, which is the file
 * in base64. `$${` stands for `${` itself. Whoever sends a configuration puts in what they stand for; the API takes none.
 */
export const referenceKinds = ['env', 'file', 'base64'] as const;
export type ReferenceKind = (typeof referenceKinds)[number];

export interface ConfigurationReference {
  readonly kind: ReferenceKind;
  /** The name of a variable, or the path of a file. */
  readonly target: string;
}

const reference = /\$(\$\{)|\$\{(env|file|base64):([^{}\n]*)\}/g;

/** Every reference in a text, in order. */
export const referencesIn = (text: string): ConfigurationReference[] =>
  [...text.matchAll(reference)]
    .filter(([, escaped]) => escaped === undefined)
    .map(([, , kind, target]) => ({ kind: kind as ReferenceKind, target: target! }));

/** The text with what its references stand for. */
export const resolveReferences = (text: string, resolve: (one: ConfigurationReference) => string): string =>
  text.replace(reference, (_, escaped: string | undefined, kind: ReferenceKind, target: string) =>
    escaped === undefined ? resolve({ kind, target }) : escaped,
  );

/** The text as it has to be written so that nothing of it is taken for a reference. */
export const escapeReferences = (text: string): string =>
  text.replace(/(?<=\$)\$\{|\$\{(?=(?:env|file|base64):)/g, (start) => `$${start}`);

/** The name of a variable for a secret of an object: letters, digits and underscores. */
export const variableFor = (...words: readonly string[]): string =>
  words
    .join('_')
    .normalize('NFKD')
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
