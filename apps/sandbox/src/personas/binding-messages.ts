import { refuse, type Refusal } from './reply.js';

/** Says what is wrong with a binding message; null when nothing is. */
export type BindingMessageRule = (text: string | null) => Refusal | null;

interface Limits {
  readonly maximumLength: number;
  /** Matches a whole text that is taken. */
  readonly alphabet?: RegExp;
  readonly required?: true;
  readonly code?: string;
}

/** The usual rule: a length, and sometimes an alphabet. */
export const upTo =
  ({ maximumLength, alphabet, required, code = 'invalid_binding_message' }: Limits): BindingMessageRule =>
  (text) => {
    if (text === null) return required ? refuse(code, 'binding_message is required') : null;
    if ([...text].length > maximumLength) return refuse(code, `binding_message is longer than ${maximumLength}`);
    if (alphabet && !alphabet.test(text)) return refuse(code, 'binding_message has characters that are not allowed');
    return null;
  };

/** No message is looked at, shown or refused. */
export const ignored: BindingMessageRule = () => null;
