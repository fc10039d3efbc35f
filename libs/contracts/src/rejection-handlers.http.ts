import {
  isJsonMediaType,
  renderRejection,
  templateVariables,
  unknownTemplateVariables,
  type TemplateValues,
} from '#lib/domain';
import { z } from 'zod';
import { id, instant, name } from './identifiers.js';

const template = z
  .string()
  .max(65_536)
  .superRefine((value, context) => {
    for (const unknown of unknownTemplateVariables(value)) {
      context.addIssue({
        code: 'custom',
        message: `{{${unknown}}} is not a variable. Use ${templateVariables.map((v) => `{{${v}}}`).join(', ')}.`,
      });
    }
  });

const mediaType = z
  .string()
  .max(127)
  .regex(
    /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+(\s*;\s*[a-z0-9-]+=("[^"\\\r\n]*"|[a-z0-9._-]+))*$/i,
    'Give a media type, for example application/json.',
  );

// Only a path on the caller's own site or an absolute https address; never `//host`, a backslash or a script.
const redirectTarget = z
  .string()
  .min(1)
  .max(2048)
  .refine((value) => {
    if (/[\\\s\p{Cc}]/u.test(value)) return false;
    if (value.startsWith('/')) return !value.startsWith('//');
    if (!URL.canParse(value)) return false;
    const url = new URL(value);
    return url.protocol === 'https:' && url.username === '' && url.password === '';
  }, 'Give an absolute https address or a path that starts with one slash.');

// A value with a quote in it: it stays inside its string, or the variable stands where a value could break out.
const probe = Object.fromEntries(templateVariables.map((variable) => [variable, 'a"b'])) as TemplateValues;

/** A template for JSON must give JSON whatever the values are. */
function staysWellFormed(handler: { status: number; contentType: string; template: string }): boolean {
  if (!isJsonMediaType(handler.contentType)) return true;
  try {
    JSON.parse(renderRejection({ ...handler, type: 'error-template' }, probe).body ?? '');
    return true;
  } catch {
    return false;
  }
}

export const rejectionHandlerBody = z
  .discriminatedUnion('type', [
    z
      .strictObject({
        name,
        type: z.literal('error-template'),
        status: z.int().min(400).max(599),
        contentType: mediaType,
        template,
      })
      .refine((handler) => staysWellFormed(handler), {
        path: ['template'],
        message: 'The template does not give a JSON document. Put every {{variable}} inside a quoted string.',
      }),
    z.strictObject({
      name,
      type: z.literal('redirect'),
      status: z.union([z.literal(302), z.literal(303)]).default(302),
      url: redirectTarget,
    }),
  ])
  .meta({ id: 'RejectionHandlerBody' });
export type RejectionHandlerBody = z.infer<typeof rejectionHandlerBody>;

/** A merge patch; the result must be a whole handler of its type again. */
export const rejectionHandlerPatch = z
  .strictObject({
    name: name.optional(),
    type: z.enum(['error-template', 'redirect']).optional(),
    status: z.int().optional(),
    contentType: mediaType.optional(),
    template: template.optional(),
    url: redirectTarget.optional(),
  })
  .meta({ id: 'RejectionHandlerPatch' });
export type RejectionHandlerPatch = z.infer<typeof rejectionHandlerPatch>;

const stored = { id, predefined: z.boolean(), version: z.int().positive(), createdAt: instant, updatedAt: instant };

export const rejectionHandler = z
  .discriminatedUnion('type', [
    z.strictObject({ ...rejectionHandlerBody.options[0].shape, ...stored }),
    z.strictObject({ ...rejectionHandlerBody.options[1].shape, ...stored }),
  ])
  .meta({ id: 'RejectionHandler' });
export type RejectionHandler = z.infer<typeof rejectionHandler>;
