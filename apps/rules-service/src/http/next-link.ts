/** The `Link` header to the next page (RFC 8288), with the filters of this one; none on the last page. */
export function nextLink(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
  nextCursor: string | null,
): Record<string, string> {
  if (nextCursor === null) return {};
  const members = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, cursor: nextCursor })) {
    if (value !== undefined) members.set(name, String(value));
  }
  return { link: `<${path}?${members.toString()}>; rel="next"` };
}
