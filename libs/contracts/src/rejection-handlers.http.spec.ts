import { describe, expect, it } from '@jest/globals';
import { rejectionHandlerBody } from './rejection-handlers.http.js';

const handler = (template: string, contentType = 'application/json') => ({
  name: 'Denied',
  type: 'error-template' as const,
  status: 403,
  contentType,
  template,
});
const problemsOf = (value: unknown): string[] =>
  rejectionHandlerBody.safeParse(value).error?.issues.map((issue) => `/${issue.path.join('/')}: ${issue.message}`) ??
  [];

describe('a rejection handler', () => {
  it.each(['{"outcome":"{{outcome}}","info":"because {{info}}"}', '"{{title}}"', '{}', '[1,null,"{{requestId}}"]'])(
    'may have the JSON template %s',
    (template) => {
      expect(problemsOf(handler(template))).toEqual([]);
    },
  );

  it.each(['{"outcome":{{outcome}}}', '{{info}}', '{"{{title}}":1', '{"a":"{{title}}",}', ''])(
    'may not have the JSON template %s, which a value could break',
    (template) => {
      expect(problemsOf(handler(template))[0]).toContain('/template: The template does not give a JSON document');
      expect(problemsOf(handler(template, 'application/problem+json; charset=utf-8'))).not.toEqual([]);
      expect(problemsOf(handler(template, 'text/html'))).toEqual([]);
    },
  );

  it('may use its own variables only', () => {
    expect(problemsOf(handler('{{loginHint}} {{outcome}}', 'text/plain'))[0]).toContain(
      '{{loginHint}} is not a variable',
    );
  });

  it.each([
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    'http://example.com',
    'https://a:b@example.com',
    'x',
  ])('does not redirect to %s', (url) => {
    expect(problemsOf({ name: 'R', type: 'redirect', url })).toHaveLength(1);
  });

  it.each(['/denied?why=1', 'https://example.com/denied'])('redirects to %s, with 302 unless told otherwise', (url) => {
    expect(rejectionHandlerBody.parse({ name: 'R', type: 'redirect', url })).toMatchObject({ status: 302, url });
  });
});
