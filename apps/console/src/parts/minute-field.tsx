import { TextInput, type TextInputProps } from '@mantine/core';
import { endOfMinute, instantOf, localMinute } from './local-minute.js';

export interface MinuteFieldProps extends Pick<TextInputProps, 'label' | 'description' | 'withAsterisk' | 'error'> {
  /** An instant of the API; empty: none. */
  readonly value?: string;
  readonly onChange: (instant: string) => void;
  /** The minute that is named is included. */
  readonly end?: boolean;
}

/** An instant, chosen to the minute in the time zone of the browser. */
export function MinuteField({ value = '', onChange, end = false, ...rest }: MinuteFieldProps) {
  return (
    <TextInput
      type="datetime-local"
      value={localMinute(value)}
      onChange={(event) => onChange((end ? endOfMinute : instantOf)(event.currentTarget.value))}
      {...rest}
    />
  );
}
