import { Button, FileButton } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';

export interface FileTextProps {
  /** What is read: `the certificate`. */
  readonly what: string;
  readonly accept: string;
  readonly onText: (text: string) => void;
}

/** Fills a field from a file; the file goes nowhere else. */
export function FileText({ what, accept, onText }: FileTextProps) {
  return (
    <FileButton accept={accept} onChange={(file) => void file?.text().then(onText)}>
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
