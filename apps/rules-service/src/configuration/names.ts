import type { ConfiguredKind } from '#lib/domain';
import type { Snapshot } from './snapshot.js';

/** Which name is which id: a configuration knows names, the stores know ids. */
export class Names {
  private readonly ids = new Map<string, string>();
  private readonly names = new Map<string, string>();

  static of({ tokenProviders, keyPairs, rejectionHandlers, rules }: Snapshot): Names {
    const all = new Names();
    for (const { name, id } of tokenProviders) all.add('token-provider', name, id);
    for (const { alias, id } of keyPairs) all.add('key-pair', alias, id);
    for (const { name, id } of rejectionHandlers) all.add('rejection-handler', name, id);
    for (const { definition, id } of rules) all.add('rule', definition.name, id);
    return all;
  }

  add(kind: ConfiguredKind, name: string, id: string): void {
    this.ids.set(`${kind} ${name}`, id);
    this.names.set(id, name);
  }

  idOf(kind: ConfiguredKind, name: string): string | undefined {
    return this.ids.get(`${kind} ${name}`);
  }

  nameOf(id: string): string | undefined {
    return this.names.get(id);
  }

  copy(): Names {
    const copy = new Names();
    this.ids.forEach((id, key) => copy.ids.set(key, id));
    this.names.forEach((name, id) => copy.names.set(id, name));
    return copy;
  }
}
