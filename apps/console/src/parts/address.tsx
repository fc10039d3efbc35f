import { Fragment } from 'react';

/** A URL that is broken where it has a joint, when there is too little room for the whole. */
export function Address({ url }: { readonly url: string }) {
  return url.split(/(?<=[/?&])(?!\/)|(?=\.)/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}
