import { rejectionHandlerBody, type RejectionHandlerBody } from '../rejection-handlers.http.js';
import { integerOf, memberLike, membersOf, textOf, type Members } from './export-shape.js';
import { Draft } from './import-draft.js';
import type { MappingContext } from './mapping-context.js';

/** PingAccess and Assent come with the same three, under the same names. */
const predefined: Readonly<Record<string, string>> = {
  '1': 'Default Web Rejection Handler',
  '2': 'Default API Rejection Handler',
  '3': 'Default Rate Limiting Rejection Handler',
};

/** A rejection handler by the id that rules refer to. */
export function mapRejectionHandler(
  value: unknown,
  index: number,
  { inputs, exists }: MappingContext,
): { readonly id: string; readonly draft: Draft<RejectionHandlerBody> } {
  const handler = membersOf(value);
  const id = textOf(handler['id']) ?? `#${index}`;
  const given = textOf(handler['name']) ?? `Rejection handler ${id}`;
  const ours = Object.values(predefined).includes(given) || (/default/i.test(given) && Object.hasOwn(predefined, id));
  const name = ours && Object.hasOwn(predefined, id) ? predefined[id]! : given;
  const draft = new Draft<RejectionHandlerBody>(
    'rejection-handler',
    name,
    `/data/rejectionHandlers/${index}`,
    ours || exists('rejection-handler', name),
  );
  const className = textOf(handler['className']) ?? '';
  const settings = membersOf(handler['configuration']);
  const url = inputs[`rejectionHandlers/${id}/url`] ?? memberLike(settings, /url|location/i, textOf);
  if (/redirect/i.test(className) || (url !== null && !('templateFile' in settings)))
    redirect(draft, settings, url, id);
  else if (/errortemplate/i.test(className) || 'templateFile' in settings) errorTemplate(draft, settings);
  else draft.skip('It is of a type that Assent does not know.');
  return { id, draft };
}

function redirect(draft: Draft<RejectionHandlerBody>, settings: Members, url: string | null, id: string): void {
  if (url === null) draft.need(`rejectionHandlers/${id}/url`, 'Where it redirects to.');
  const code = statusOf(settings);
  if (code !== null && code !== 302 && code !== 303) draft.note(`It answered ${code}; Assent redirects by 302 or 303.`);
  if (memberLike(settings, /encode/i, (value) => value === true || null) === true) {
    draft.note('"Encode URL" has no counterpart: the address is sent as it stands.');
  }
  draft.complete(rejectionHandlerBody, { name: draft.name, type: 'redirect', status: code === 303 ? 303 : 302, url });
}

function errorTemplate(draft: Draft<RejectionHandlerBody>, settings: Members): void {
  const code = statusOf(settings);
  const fits = code !== null && code >= 400 && code <= 599;
  if (!fits) draft.note(`Its response code ${code ?? 'is missing'}: 403 stands in its place.`);
  const file = memberLike(settings, /template_?file/i, textOf);
  draft.note(
    `The template ${file === null ? '' : `"${file}" `}is a file and not in the export: one of Assent stands in its place.`,
  );
  const isJson = /json/i.test(memberLike(settings, /content_?type/i, textOf) ?? '');
  draft.complete(rejectionHandlerBody, {
    name: draft.name,
    type: 'error-template',
    status: fits ? code : 403,
    contentType: isJson ? 'application/json' : 'text/html; charset=utf-8',
    template: isJson ? jsonTemplate : htmlTemplate,
  });
}

const statusOf = (settings: Members): number | null => memberLike(settings, /response_?code|^status$/i, integerOf);

const jsonTemplate = '{"error": "{{outcome}}", "title": "{{title}}", "detail": "{{info}}", "request": "{{requestId}}"}';
const htmlTemplate = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>{{title}}</title>
  </head>
  <body>
    <h1>{{header}}</h1>
    <p>{{info}}</p>
  </body>
</html>
`;
