import type { TLSSocket } from 'node:tls';
import { decodeProtectedHeader } from 'jose';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { CallLog } from './personas/call-log.js';

type Middleware = (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void>;

const endpoints = { '/backchannel': 'backchannel', '/token': 'token' } as const;

/** Notes every call of the real provider's CIBA endpoints, with the client authentication that came on the wire. */
export function noteProviderCalls(calls: CallLog): Middleware {
  return async (ctx, next) => {
    const receivedAtMs = Date.now();
    await next();
    const endpoint = endpoints[ctx.path as keyof typeof endpoints];
    if (endpoint === undefined) return;
    const answer = (ctx.body ?? {}) as { readonly error?: string; readonly auth_req_id?: string };
    const form = formOf(ctx);
    calls.add(
      {
        endpoint,
        receivedAtMs,
        answeredAtMs: Date.now(),
        clientId: ctx.oidc?.client?.clientId ?? null,
        status: ctx.status,
        error: answer.error ?? null,
        authReqId: form.get('auth_req_id') ?? answer.auth_req_id ?? null,
        authentication: authenticationOf(ctx, form),
      },
      form,
    );
  };
}

/** How the client proved who it is, as it looks on the wire (OpenID Connect Core 1.0 §9, RFC 8705 §2). */
function authenticationOf(ctx: KoaContextWithOIDC, form: URLSearchParams): string {
  const assertion = form.get('client_assertion');
  if (assertion !== null) {
    const alg = algorithmOf(assertion);
    return `${alg.startsWith('HS') ? 'client_secret_jwt' : 'private_key_jwt'} ${alg}`;
  }
  if (/^basic /i.test(ctx.get('authorization'))) return 'client_secret_basic';
  if (form.has('client_secret')) return 'client_secret_post';
  const socket = ctx.socket as Partial<TLSSocket>;
  if (socket.getPeerX509Certificate?.() === undefined) return 'none';
  return socket.authorized === true ? 'tls_client_auth' : 'self_signed_tls_client_auth';
}

function algorithmOf(assertion: string): string {
  try {
    return String(decodeProtectedHeader(assertion).alg);
  } catch {
    // The provider says that it is none; the log says what can be said.
    return 'unreadable';
  }
}

function formOf({ oidc }: KoaContextWithOIDC): URLSearchParams {
  const body = Object.entries((oidc?.body ?? {}) as Record<string, unknown>);
  const texts = body.filter((member): member is [string, string] => typeof member[1] === 'string');
  return new URLSearchParams(texts);
}
