import { TextInput, type TextInputProps } from '@mantine/core';
import { useTyped } from './use-typed.js';

export interface TextFilterProps extends Omit<TextInputProps, 'value' | 'onChange'> {
  /** What the address says. */
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** A filter that is typed: the list follows each letter, and the next one need not wait for it. */
export function TextFilter({ value, onChange, ...rest }: TextFilterProps) {
  const [shown, type] = useTyped(value, onChange);
  return <TextInput value={shown} onChange={(event) => type(event.currentTarget.value)} {...rest} />;
}
