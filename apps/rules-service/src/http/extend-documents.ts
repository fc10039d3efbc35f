import type { Page } from '#lib/contracts';
import type { Answer } from './answer.js';

/** Says more about documents, in their order: one look-up for all of them. */
export type Extend = (documents: readonly object[]) => Promise<object[]>;

/** An answer with more said about its document. */
export async function extendDocument(answer: Promise<Answer>, extend: Extend): Promise<Answer> {
  const { body, ...rest } = await answer;
  const [document] = await extend([body as object]);
  return { ...rest, body: document };
}

/** A page with more said about each of its documents. */
export async function extendPage(answer: Promise<Answer<Page<object>>>, extend: Extend): Promise<Answer> {
  const { body, ...rest } = await answer;
  return { ...rest, body: { ...body, data: await extend(body!.data) } };
}
