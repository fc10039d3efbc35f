import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { outcomes } from './authorization-request.js';
import {
  defaultRejectionHandlers,
  escapeFor,
  rejectionHandlerFor,
  rejectionWords,
  renderRejection,
  type TemplateValues,
  templateVariables,
  unknownTemplateVariables,
} from './rejection.js';

const plainValues: TemplateValues = {
  requestId: '01890000-0000-7000-8000-000000000001',
  outcome: 'denied',
  reason: '',
  ruleName: 'Approve a payment',
  bindingMessage: 'Pay 10.00 EUR to Bob',
  expiresAt: '2026-03-01T12:00:00.000Z',
  title: 'Not approved',
  header: 'The request was not approved',
  info: 'Nothing was done.',
};

const render = (template: string, contentType: string, values: Partial<TemplateValues> = {}): string =>
  renderRejection({ type: 'error-template', status: 403, contentType, template }, { ...plainValues, ...values }).body!;

describe('which handler answers', () => {
  const chosen = {
    timeoutRejectionHandlerId: 'timeout',
    denyRejectionHandlerId: 'deny',
    errorRejectionHandlerId: 'error',
  };
  const none = { timeoutRejectionHandlerId: null, denyRejectionHandlerId: null, errorRejectionHandlerId: null };
  const { api } = defaultRejectionHandlers;
  const table = {
    approved: [null, null],
    denied: ['deny', api],
    expired: ['timeout', api],
    cancelled: [null, null],
    failed: ['error', api],
  } as const;

  it.each(outcomes)('for %s', (outcome) => {
    expect([rejectionHandlerFor(outcome, chosen), rejectionHandlerFor(outcome, none)]).toEqual([...table[outcome]]);
  });

  it.each(['denied', 'expired', 'failed'] as const)('has words for %s that no other outcome has', (outcome) => {
    const others = (['denied', 'expired', 'failed'] as const).filter((other) => other !== outcome);

    for (const other of others) expect(rejectionWords(other).header).not.toBe(rejectionWords(outcome).header);
  });
});

describe('a redirect', () => {
  it('goes to the registered address, and no value can change it', () => {
    const handler = { type: 'redirect', status: 302, url: 'https://shop.example/{{reason}}' } as const;

    expect(renderRejection(handler, { ...plainValues, reason: '@evil.example' })).toEqual({
      status: 302,
      headers: { location: 'https://shop.example/{{reason}}' },
    });
  });
});

describe('a template', () => {
  it('is answered with its status and media type', () => {
    const handler = {
      type: 'error-template',
      status: 451,
      contentType: 'text/plain',
      template: '{{outcome}}',
    } as const;

    expect(renderRejection(handler, plainValues)).toEqual({
      status: 451,
      headers: { 'content-type': 'text/plain' },
      body: 'denied',
    });
  });

  it.each(templateVariables)('knows {{%s}}', (variable) => {
    expect(unknownTemplateVariables(`{{${variable}}}`)).toEqual([]);
    expect(render(`<{{ ${variable} }}>`, 'text/plain', { [variable]: 'here' })).toBe('<here>');
  });

  it.each([
    ['another word', '{{status}}', ['status']],
    ['a path', '{{rule.name}}', ['rule.name']],
    ['an underscore', '{{rule_name}}', ['rule_name']],
    ['another case', '{{Reason}}', ['Reason']],
    ['what every object inherits', '{{constructor}} {{__proto__}}', ['constructor', '__proto__']],
    ['twice the same', '{{x}}{{x}}', ['x']],
    ['beside a known one', '{{reason}}{{x}}', ['x']],
    ['no placeholder', '{ {reason} } {reason}', []],
  ])('names what it does not know: %s', (_, template, expected) => {
    expect(unknownTemplateVariables(template)).toEqual(expected);
  });

  // The syntax of other engines is text to ours: it comes out as it went in.
  it.each([
    '{{7*7}}',
    '{{#if outcome}}x{{/if}}',
    '{{{bindingMessage',
    '{{> partial}}',
    '{% if true %}x{% endif %}',
    '${7*7}',
    '#{7*7}',
    '<%= 7*7 %>',
    '<#if true>x</#if>',
    '[[${7*7}]]',
    '{{constructor.constructor("return 1")()}}',
    '{{unknown}}',
    '{{__proto__}}',
    '@(7*7)',
    '*{7*7}',
    '{{=<% %>=}}',
    '{{ "x" | upcase }}',
    '$bindingMessage',
    '%{bindingMessage}',
    '{{}}',
  ])('runs nothing: %s', (template) => {
    expect(render(template, 'text/html')).toBe(template);
  });

  it('is read once: a value that looks like a placeholder stays text', () => {
    expect(render('{{bindingMessage}}', 'text/plain', { bindingMessage: '{{reason}}', reason: 'secret' })).toBe(
      '{{reason}}',
    );
  });

  it('takes replacement patterns in a value as text', () => {
    expect(render('a{{bindingMessage}}b', 'text/plain', { bindingMessage: "$& $1 $' $` $$" })).toBe("a$& $1 $' $` $$b");
  });

  it('is rendered in linear time, however hostile', () => {
    const hostile = ['{{' + ' '.repeat(60_000), '{{'.repeat(30_000), '{{a'.repeat(20_000), '{{' + 'a'.repeat(60_000)];

    for (const template of hostile) {
      expect(render(template, 'text/html')).toBe(template);
      expect(unknownTemplateVariables(template)).toEqual([]);
    }
  });
});

/** Values that break out of markup, JSON or text when they are not escaped for where they stand. */
const payloads = [
  '<script>alert(1)</script>',
  '</script><script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)>',
  '<svg><animate onbegin=alert(1) attributeName=x>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<math><mtext></table></mglyph><style><img src=x onerror=alert(1)>',
  '<details open ontoggle=alert(1)>',
  '<body onload=alert(1)>',
  '<a href="javascript:alert(1)">x</a>',
  '<!--',
  '--><script>alert(1)</script><!--',
  '<![CDATA[<script>alert(1)</script>]]>',
  '<?php echo 1 ?>',
  '"><script>alert(1)</script>',
  "'><script>alert(1)</script>",
  '" onmouseover="alert(1)',
  "' onmouseover='alert(1)",
  '` onmouseover=`alert(1)',
  'x onmouseover=alert(1)',
  '" autofocus onfocus=alert(1) x="',
  '&lt;script&gt;',
  '&#60;script&#62;',
  '&quot;',
  '</title><script>alert(1)</script>',
  '</textarea><script>alert(1)</script>',
  '</style><script>alert(1)</script>',
  '</noscript><script>alert(1)</script>',
  '"',
  "'",
  '`',
  '\\',
  '\\"',
  "\\'",
  '\\\\',
  '";alert(1)//',
  "';alert(1)//",
  ';alert(1)//\\',
  '${alert(1)}',
  '`${alert(1)}`',
  '{{constructor.constructor("alert(1)")()}}',
  '{{reason}}',
  '{%raw%}',
  '"}',
  '","admin":true,"x":"',
  '"},{"x":"',
  '\\u0022,"admin":true',
  '"]}',
  '\n',
  '\r\nSet-Cookie: x=1',
  '\t',
  '\u0000',
  '\u0008\u001b[31m',
  '\u007f',
  '\u2028alert(1)\u2029',
  '\u202eevil\u202c',
  '\ufeff',
  '\ud800',
  '\udc00\ud800',
  '🙂',
  'ünïcödé 山田',
  '＜script＞',
  'ʼ onmouseover',
  '+ADw-script+AD4-',
  'javascript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  '//evil.example',
  '%3Cscript%3E',
  '=cmd|calc',
  '@import "evil"',
  'x:expression(alert(1))',
  '__proto__',
  'null',
  '',
  ' ',
  '<'.repeat(1000),
];

it('has payloads enough to mean something', () => {
  expect(new Set(payloads).size).toBeGreaterThanOrEqual(60);
});

const unescape = (markup: string): string =>
  markup
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&');

describe.each(payloads.map((payload) => [JSON.stringify(payload).slice(0, 60), payload] as const))(
  'the value %s',
  (_, payload) => {
    it('is text in HTML: it opens no tag, ends no attribute, and reads as it was written', () => {
      const body = render('<p title="{{bindingMessage}}">{{bindingMessage}}</p>', 'text/html; charset=utf-8', {
        bindingMessage: payload,
      });
      const [whole, attribute, text] = /^<p title="([^"]*)">([^<]*)<\/p>$/s.exec(body) ?? [];

      expect(whole).toBe(body);
      expect(attribute).toMatch(/^[^<>"'`=\\{}]*$/s);
      expect(unescape(attribute!)).toBe(payload);
      expect(unescape(text!)).toBe(payload);
    });

    it('is a string in JSON: the document parses, and has the members that it was written with', () => {
      const body = render('{"error":"{{bindingMessage}}","fixed":1}', 'application/json', { bindingMessage: payload });

      expect(JSON.parse(body)).toEqual({ error: payload, fixed: 1 });
      expect(body).not.toMatch(/[<>&\u2028\u2029]/);
      expect(body).not.toMatch(/\p{Cs}/u);
    });

    it('is itself in plain text', () => {
      expect(render('{{bindingMessage}}', 'text/plain; charset=utf-8', { bindingMessage: payload })).toBe(payload);
    });
  },
);

describe('the escaping follows the media type', () => {
  const value = `<"\\`;
  const markup = '&lt;&quot;&#92;';
  const json = String.raw`\u003c\"\\`;

  it.each([
    ['text/html', markup],
    ['TEXT/HTML', markup],
    ['text/html;charset=utf-8', markup],
    ['application/xhtml+xml', markup],
    ['image/svg+xml', markup],
    ['text/xml', markup],
    ['application/x-unknown', markup],
    ['text/css', markup],
    ['text/javascript', markup],
    ['text/plainish', markup],
    ['application/json', json],
    ['Application/JSON ; charset=utf-8', json],
    ['application/problem+json', json],
    ['text/json', json],
    ['text/plain', value],
    ['text/plain ; charset=utf-8', value],
  ])('%s', (contentType, expected) => {
    expect(escapeFor(contentType)(value)).toBe(expected);
  });

  it('keeps any value inside its JSON string, and any value inside its markup text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (bindingMessage) => {
        expect(JSON.parse(render('["{{bindingMessage}}"]', 'application/json', { bindingMessage }))).toEqual([
          bindingMessage,
        ]);
        expect(render('{{bindingMessage}}', 'text/html', { bindingMessage })).toMatch(/^[^<>"'`=\\{}]*$/s);
      }),
    );
  });
});
