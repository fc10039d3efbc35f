import { z } from 'zod';

const issuer = z
  .url({ protocol: /^https?$/ })
  .max(2048)
  .refine((text) => !/[?#@]/.test(text), 'An issuer has no query, fragment or user name.');

const entry = z.string().transform((text, context) => {
  const [address, audience, ...more] = text.split(/\s+/);
  if (!issuer.safeParse(address).success || more.length > 0) {
    context.addIssue({ code: 'custom', message: `must be "<issuer> [<audience>]", separated by commas: ${text}` });
    return z.NEVER;
  }
  return { issuer: address!, audience: audience ?? null };
});

/** Whose access tokens the API takes. */
export const accessTokenConfig = z.object({
  ASSENT_TOKEN_ISSUERS: z
    .string()
    .transform((text) => text.split(',').map((item) => item.trim()))
    .pipe(z.array(entry).max(20))
    .refine((all) => new Set(all.map((one) => one.issuer)).size === all.length, 'must name each issuer once')
    .default([])
    .describe(
      'Authorization servers whose access tokens (RFC 9068) the API takes: `<issuer> <audience>`, separated by commas; ' +
        'without an audience tokens must name `ASSENT_PUBLIC_URL`. Default: none, API keys only.',
    ),
});
export type AccessTokenConfig = Readonly<z.output<typeof accessTokenConfig>>;
