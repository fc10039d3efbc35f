/**
 * Shows somebody else's page inside a frame of its own origin and policy: no script of it runs, and it reaches no host.
 * The console sends the page as a message; it would otherwise need a policy as loose as the page wants.
 */
addEventListener('message', ({ source, data }: MessageEvent<unknown>) => {
  if (source !== parent || typeof data !== 'string') return;
  const shown = new DOMParser().parseFromString(data, 'text/html');
  for (const unwanted of shown.querySelectorAll('script, iframe, object, embed, base, link, meta')) unwanted.remove();
  for (const element of shown.querySelectorAll('*')) {
    for (const { name, value } of [...element.attributes]) {
      const reachesOut = /^(src|srcset|poster|background|xlink:href)$/.test(name) && !value.startsWith('data:');
      if (name.startsWith('on') || reachesOut) element.removeAttribute(name);
    }
  }
  document.head.replaceChildren(...shown.head.childNodes);
  document.body.replaceWith(shown.body);
});
parent.postMessage('ready', '*');
