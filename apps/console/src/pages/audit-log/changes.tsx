import type { AuditEvent } from '#lib/contracts';
import classes from './changes.module.css';

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What a change has made of what: by JSON pointer, the old value and the new one. Folded until somebody wants it. */
export function Changes({ changes, detail }: Pick<AuditEvent, 'changes' | 'detail'>) {
  const said = Object.entries(detail ?? {}).filter(([name, value]) => name !== 'version' && value !== null);
  if ((changes ?? []).length + said.length === 0) return null;
  return (
    <details className={classes.changes}>
      <summary>{changes?.length ? `${changes.length} changed` : 'Details'}</summary>
      <dl>
        {(changes ?? []).map(({ pointer, before, after }) => (
          <div key={pointer} className={classes.change}>
            <dt>
              <code>{pointer === '' ? 'everything' : pointer}</code>
            </dt>
            <dd>
              {before != null && <del>{text(before)}</del>}
              {after != null && <ins>{text(after)}</ins>}
            </dd>
          </div>
        ))}
        {said.map(([name, value]) => (
          <div key={name} className={classes.change}>
            <dt>{name}</dt>
            <dd>{text(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
