import type { Attributes } from './attributes.js';
import { canonicalJson } from './canonical-json.js';

/** What a person is asked to approve. */
export interface WhatIsAsked {
  readonly ruleId: string;
  readonly ruleVersion: number;
  readonly attributes: Attributes;
  readonly bindingMessage: string | null;
}

/** The text whose SHA-256 is the request hash: the canonical JSON of what is asked. */
export const askedText = ({ ruleId, ruleVersion, attributes, bindingMessage }: WhatIsAsked): string =>
  canonicalJson({ ruleId, ruleVersion, attributes, bindingMessage });
