/**
 * Makes `structuredClone` answer with objects of the realm in which jest runs tests.
 *
 * Node's own answers with objects of the outer realm, whose prototypes differ, so that oidc-provider takes the key sets of
 * its clients for something other than plain objects. Call it before the provider starts.
 */
export function cloneWithinThisRealm(): void {
  const outer = globalThis.structuredClone;
  const clone = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(clone);
    if (typeof value !== 'object' || value === null) return value;
    if (Object.getPrototypeOf(value) !== Object.prototype) return outer(value);
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, clone(member)]));
  };
  globalThis.structuredClone = clone as typeof structuredClone;
}
