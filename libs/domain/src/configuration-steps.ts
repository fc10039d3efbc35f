/** What a configuration demands of what there is: which objects are made, changed and taken away, in which order. */

/** Kinds of configured objects; what others refer to comes before them. */
export const configuredKinds = [
  'token-provider',
  'key-pair',
  'rejection-handler',
  'rule',
  'webhook-endpoint',
  'api-client',
] as const;
export type ConfiguredKind = (typeof configuredKinds)[number];

/** Nothing refers to these: they go first, so that what is unique about them is free. */
const referredToByNobody: ReadonlySet<ConfiguredKind> = new Set(['webhook-endpoint', 'api-client']);

export interface ConfigurationStep {
  readonly kind: ConfiguredKind;
  readonly action: 'create' | 'update' | 'delete';
}

/**
 * Steps in an order in which each finds what it refers to, and nothing goes that is still referred to. Steps of one kind
 * and action keep their order.
 */
export function inOrderOfReferences<Step extends ConfigurationStep>(steps: readonly Step[]): Step[] {
  const rank = ({ kind, action }: ConfigurationStep): number => {
    const place = configuredKinds.indexOf(kind);
    if (action !== 'delete') return place;
    return referredToByNobody.has(kind) ? -1 - place : 2 * configuredKinds.length - place;
  };
  return [...steps].sort((one, other) => rank(one) - rank(other));
}

/** Names that stand more than once in a list, with the place of each repetition. */
export function repeatedNames(names: readonly string[]): { readonly name: string; readonly index: number }[] {
  const seen = new Set<string>();
  return names.flatMap((name, index) => {
    const repeated = seen.has(name);
    seen.add(name);
    return repeated ? [{ name, index }] : [];
  });
}
