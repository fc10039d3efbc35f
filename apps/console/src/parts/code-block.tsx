import { CopyButton } from './copy-button.js';
import classes from './code-block.module.css';

export interface CodeBlockProps {
  readonly value: string;
  /** What it is: `the certificate`. */
  readonly what: string;
}

/** Text for machines, as it is, with a way to copy it. It scrolls inside its frame, by keyboard too. */
export function CodeBlock({ value, what }: CodeBlockProps) {
  return (
    <div className={classes.frame}>
      <pre tabIndex={0} role="region" aria-label={what} className={classes.text}>
        {value}
      </pre>
      <div className={classes.copy}>
        <CopyButton value={value} what={what} />
      </div>
    </div>
  );
}
