/** One event of a text/event-stream answer. */
export interface StreamedEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

/** Reads a stream of server-sent events until the server ends it. */
export async function readEventStream(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<StreamedEvent[]> {
  const answer = await fetch(url, { headers: { accept: 'text/event-stream', ...headers } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  const text = await answer.text();
  return text
    .split(/\n\n/)
    .map((block) => fieldsOf(block))
    .filter((fields) => fields.has('data'))
    .map((fields) => ({
      id: fields.get('id') ?? null,
      event: fields.get('event') ?? 'message',
      data: fields.get('data')!,
    }));
}

function fieldsOf(block: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const match = /^(\w+):\s?(.*)$/.exec(line);
    if (match) fields.set(match[1]!, fields.has(match[1]!) ? `${fields.get(match[1]!)}\n${match[2]!}` : match[2]!);
  }
  return fields;
}
