import { Button, FileButton } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useRef } from 'react';

export interface FileTextProps {
  /** What is read: `the certificate`. */
  readonly what: string;
  readonly accept: string;
  readonly onText: (text: string) => void;
}

/** Fills a field from a file; the file goes nowhere else. */
export function FileText({ what, accept, onText }: FileTextProps) {
  const forget = useRef<() => void>(null);
  const read = async (file: File | null): Promise<void> => {
    const text = await file?.text();
    // The same file can be chosen again, after it was changed.
    forget.current?.();
    if (text !== undefined) onText(text);
  };
  return (
    <FileButton accept={accept} resetRef={forget} onChange={(file) => void read(file)}>
      {(props) => (
        <Button
          {...props}
          size="compact-xs"
          variant="default"
          leftSection={<IconUpload size={13} aria-hidden />}
          aria-label={`Read ${what} from a file`}
        >
          From a file
        </Button>
      )}
    </FileButton>
  );
}
