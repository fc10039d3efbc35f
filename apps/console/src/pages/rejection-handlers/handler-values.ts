import type { RejectionHandler, RejectionHandlerBody } from '#lib/contracts';

/** A rejection handler as its form holds it: the members of both types. */
export interface HandlerValues {
  name: string;
  type: RejectionHandlerBody['type'];
  status: number | string;
  redirectStatus: string;
  contentType: string;
  template: string;
  url: string;
}

const jsonTemplate = `{
  "outcome": "{{outcome}}",
  "title": "{{title}}",
  "detail": "{{info}}",
  "requestId": "{{requestId}}"
}
`;

/** What the form starts with. */
export const newHandlerValues: HandlerValues = {
  name: '',
  type: 'error-template',
  status: 403,
  redirectStatus: '302',
  contentType: 'application/json',
  template: jsonTemplate,
  url: '',
};

export function handlerValuesOf(handler: RejectionHandler): HandlerValues {
  const { name, type } = handler;
  return type === 'redirect'
    ? { ...newHandlerValues, name, type, redirectStatus: String(handler.status), url: handler.url }
    : {
        ...newHandlerValues,
        name,
        type,
        status: handler.status,
        contentType: handler.contentType,
        template: handler.template,
      };
}

/** The body that the form's values make; the schema refuses what cannot be right. */
export function handlerBodyOf(values: HandlerValues): RejectionHandlerBody {
  const { name, type, status, redirectStatus, contentType, template, url } = values;
  return type === 'redirect'
    ? { name, type, status: Number(redirectStatus) as 302, url }
    : { name, type, status: status as number, contentType, template };
}

/** The field that shows a member of the body. */
export function handlerField(values: Pick<HandlerValues, 'type'>): (pointer: string) => string | null {
  return (pointer) => {
    const member = pointer.split('/')[1] ?? '';
    if (member === 'status') return values.type === 'redirect' ? 'redirectStatus' : 'status';
    return Object.hasOwn(newHandlerValues, member) ? member : null;
  };
}
