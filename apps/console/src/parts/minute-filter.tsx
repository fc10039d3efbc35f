import { MinuteField, type MinuteFieldProps } from './minute-field.js';
import { useTyped } from './use-typed.js';

/** A filter that is an instant; a year takes four digits, and the list follows each. */
export function MinuteFilter({ value = '', onChange, ...rest }: MinuteFieldProps) {
  const [shown, type] = useTyped(value, onChange);
  return <MinuteField value={shown} onChange={type} {...rest} />;
}
