import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { configuredKinds, inOrderOfReferences, repeatedNames, type ConfigurationStep } from './configuration-steps.js';

describe('the steps of a configuration', () => {
  const step = fc.record({
    kind: fc.constantFrom(...configuredKinds),
    action: fc.constantFrom('create', 'update', 'delete'),
  });
  /** Who refers to whom. */
  const references: readonly (readonly [string, string])[] = [
    ['rule', 'token-provider'],
    ['rule', 'key-pair'],
    ['rule', 'rejection-handler'],
    ['api-client', 'rule'],
  ];

  it('find what they refer to, and take nothing away that is referred to', () => {
    fc.assert(
      fc.property(fc.array(step as fc.Arbitrary<ConfigurationStep>), (steps) => {
        const ordered = inOrderOfReferences(steps);
        expect(ordered).toHaveLength(steps.length);
        ordered.forEach((earlier, index) => {
          for (const later of ordered.slice(index + 1)) {
            for (const [user, used] of references) {
              const usesEarly = earlier.kind === user && later.kind === used;
              if (usesEarly && earlier.action !== 'delete') expect(later.action).toBe('delete');
              const usedEarly = earlier.kind === used && earlier.action === 'delete';
              expect(usedEarly && later.kind === user).toBe(false);
            }
          }
        });
      }),
    );
  });

  it('keep their order within a kind', () => {
    const steps = ['a', 'b', 'c'].map((name) => ({ kind: 'rule', action: 'create', name }) as const);
    expect(inOrderOfReferences(steps).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('tell names apart', () => {
    expect(repeatedNames(['a', 'b', 'a', 'A', 'a'])).toEqual([
      { name: 'a', index: 2 },
      { name: 'a', index: 4 },
    ]);
  });
});
