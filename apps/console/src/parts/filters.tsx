import type { ReactNode } from 'react';
import classes from './filters.module.css';

/** Fields that say what is listed, above the list. */
export function Filters({ children }: { readonly children: ReactNode }) {
  return (
    <div className={classes.filters} role="search" aria-label="Filters">
      {children}
    </div>
  );
}

/** Two fields that belong together: from when, and until when. */
export function FilterPair({ children }: { readonly children: ReactNode }) {
  return <div className={classes.pair}>{children}</div>;
}
