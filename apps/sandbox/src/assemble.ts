import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as OidcProvider from 'oidc-provider';
import { accounts } from './accounts.js';
import { AssentApi } from './assent.http.js';
import { registerClients, sandboxClients, sandboxConsoleClient } from './clients.js';
import { certificateJwk, type SandboxIdentity } from './identity.js';
import { addPageRoutes } from './pages.http.js';
import { CallLog } from './personas/call-log.js';
import { PersonaHouse } from './personas/persona-house.js';
import { addPersonaRoutes, refuseUnderPersonas } from './personas/personas.http.js';
import { addLoginRoutes } from './login.http.js';
import { Phone } from './phone.js';
import { addPhoneRoutes } from './phone.http.js';
import { pollingInterval } from './polling-interval.js';
import { noteProviderCalls } from './provider-calls.js';
import { createProvider, tellProvider } from './provider.js';
import type { RowStore } from './row.store.js';
import type { SandboxDescription, SandboxMtls, SandboxOptions } from './sandbox.js';
import type { SandboxLog } from './sandbox-log.js';
import { Shop } from './shop.js';
import { addShopRoutes } from './shop.http.js';
import { HttpProblem, PageRouter, sendJson, sendProblem } from './web.js';

type RequestHandler = (req: IncomingMessage, res: ServerResponse) => void;

interface Ground {
  readonly url: string;
  readonly mtls: SandboxMtls;
  readonly identity: SandboxIdentity;
  readonly store: RowStore;
  readonly stopping: AbortSignal;
}

export interface AssembledSandbox {
  readonly description: SandboxDescription;
  readonly provider: OidcProvider.Provider;
  /** Pages first, then the simulated providers, then the real one. */
  readonly onRequest: RequestHandler;
  /** The providers alone: pages have no business on the https listener. */
  readonly onMtlsRequest: RequestHandler;
}

/** Joins provider, phone, shop and pages; nothing listens yet. */
export function assemble(
  oidcProvider: typeof OidcProvider,
  options: SandboxOptions & { readonly log: SandboxLog },
  { url, mtls, identity, store, stopping }: Ground,
): AssembledSandbox {
  const { log, assentUrl, assentApiKey, intervalSeconds = 2 } = options;
  const provider = createProvider(oidcProvider, {
    issuer: url,
    mtlsUrl: mtls.url,
    assentUrl,
    defaultExpirySeconds: options.defaultExpirySeconds ?? 120,
    identity,
    clients: [
      ...registerClients({
        assentUrl,
        privateKeyJwtJwks: options.privateKeyJwtJwks ?? null,
        selfSignedJwk: certificateJwk(identity.pki.selfSignedClient.certificatePem),
      }),
      ...(options.furtherClients?.(mtls) ?? []),
    ],
    store,
    log,
    ring: (asked) => phone.ring(asked),
  });
  const calls = new CallLog();
  provider.use(noteProviderCalls(calls));
  if (intervalSeconds > 0) provider.use(pollingInterval(intervalSeconds));
  const onProviderRequest = provider.callback();

  const phone: Phone = new Phone(store, (request, answer) =>
    request.persona === undefined
      ? tellProvider(provider, oidcProvider, request, answer)
      : personas.tell(request, answer),
  );
  const personas: PersonaHouse = new PersonaHouse({
    url,
    mtlsUrl: mtls.url,
    assentUrl,
    privateKeyJwtJwks: options.privateKeyJwtJwks ?? null,
    identity,
    store,
    ring: (asked) => phone.ring(asked),
    stopping,
    log,
  });
  const assent = assentUrl && assentApiKey ? new AssentApi(assentUrl, assentApiKey, stopping) : null;
  const shop = new Shop({ assent, rule: options.shopRule ?? 'Approve a payment', store, log, stopping });

  const description = {
    url,
    issuer: url,
    phoneUrl: `${url}/phone`,
    personasUrl: `${url}/as`,
    shopUrl: `${url}/shop`,
    mtls,
    clients: sandboxClients,
    consoleClient: sandboxConsoleClient,
  };
  const router = new PageRouter(new Set([new URL(url).hostname, '127.0.0.1', 'localhost', '[::1]']));
  const shown = { ...description, accounts };
  addPageRoutes(router, shown);
  addPhoneRoutes(router, phone);
  addLoginRoutes(router, provider);
  addShopRoutes(router, shop);
  addPersonaRoutes(router, personas);
  router.get('/calls', ({ res }) => sendJson(res, 200, calls.all()));

  const serve = (req: IncomingMessage, res: ServerResponse, handled: Promise<boolean>): void => {
    handled.then(
      (done) => (done ? undefined : onProviderRequest(req, res)),
      (error: unknown) => {
        log('error', 'The sandbox failed', { path: req.url, error: String(error) });
        if (res.headersSent) res.destroy();
        else sendProblem(res, new HttpProblem(500, 'internal_error', 'The sandbox failed; its log says why.'));
      },
    );
  };
  const onPersonaRequest = async (req: IncomingMessage, res: ServerResponse): Promise<boolean> =>
    (await personas.handle(req, res)) || refuseUnderPersonas(personas, req, res);
  const onRequest: RequestHandler = (req, res) =>
    serve(
      req,
      res,
      router.handle(req, res).then((done) => done || onPersonaRequest(req, res)),
    );
  const onMtlsRequest: RequestHandler = (req, res) => serve(req, res, onPersonaRequest(req, res));
  return { description, provider, onRequest, onMtlsRequest };
}
