import { useEffect, useRef, useState } from 'react';
import classes from './response-preview.module.css';

/**
 * Shows a page as its reader sees it. It lives in a frame of an origin of its own (`/console/preview-frame`), whose policy
 * lets no script of the page run and no host be reached.
 */
export function TemplateFrame({ page }: { readonly page: string }) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    const hear = ({ source, data }: MessageEvent<unknown>): void => {
      if (source === frame.current?.contentWindow && data === 'ready') setReady(true);
    };
    addEventListener('message', hear);
    return () => removeEventListener('message', hear);
  }, []);
  useEffect(() => {
    // Its origin is opaque: no other target than everybody can be named, and it is the only one that hears it.
    if (ready) frame.current?.contentWindow?.postMessage(page, '*');
  }, [ready, page]);
  return (
    <iframe
      ref={frame}
      src="/console/preview-frame"
      sandbox="allow-scripts"
      title="The page as the user sees it"
      className={classes.frame}
    />
  );
}
