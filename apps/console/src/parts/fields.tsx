import { MantineThemeProvider, type MantineThemeOverride } from '@mantine/core';
import type { ReactNode } from 'react';

const toBeWritten: MantineThemeOverride = {};

/** Nothing to write into, nothing to choose from, nothing asked for. */
const toBeRead: MantineThemeOverride = {
  components: {
    Input: { defaultProps: { variant: 'filled' } },
    InputWrapper: { styles: { required: { display: 'none' } } },
    Select: { styles: { section: { display: 'none' } } },
  },
};

export interface FieldsProps {
  readonly readOnly: boolean;
  readonly children: ReactNode;
}

/** The fields of a form; those that are only to be read look like it. Each is made read-only where it stands. */
export function Fields({ readOnly, children }: FieldsProps) {
  return <MantineThemeProvider theme={readOnly ? toBeRead : toBeWritten}>{children}</MantineThemeProvider>;
}
