import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as OidcProvider from 'oidc-provider';
import { accounts } from './accounts.js';
import { AssentApi } from './assent.http.js';
import { registerClients, sandboxClients } from './clients.js';
import { certificateJwk, type SandboxIdentity } from './identity.js';
import { addPageRoutes } from './pages.http.js';
import { Phone } from './phone.js';
import { addPhoneRoutes } from './phone.http.js';
import { pollingInterval } from './polling-interval.js';
import { createProvider, tellProvider } from './provider.js';
import type { RowStore } from './row.store.js';
import type { SandboxDescription, SandboxMtls, SandboxOptions } from './sandbox.js';
import type { SandboxLog } from './sandbox-log.js';
import { Shop } from './shop.js';
import { addShopRoutes } from './shop.http.js';
import { HttpProblem, PageRouter, sendProblem } from './web.js';

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
  /** Pages first, then the provider. */
  readonly onRequest: RequestHandler;
  /** The provider alone: pages have no business on the https listener. */
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
    clients: registerClients({
      assentUrl,
      privateKeyJwtJwks: options.privateKeyJwtJwks ?? null,
      selfSignedJwk: certificateJwk(identity.pki.selfSignedClient.certificatePem),
    }),
    store,
    log,
    ring: (asked) => phone.ring(asked),
  });
  if (intervalSeconds > 0) provider.use(pollingInterval(intervalSeconds));
  const onMtlsRequest = provider.callback();

  const phone = new Phone(store, (request, answer) => tellProvider(provider, oidcProvider, request, answer));
  const assent = assentUrl && assentApiKey ? new AssentApi(assentUrl, assentApiKey, stopping) : null;
  const shop = new Shop({ assent, rule: options.shopRule ?? 'Approve a payment', store, log, stopping });

  const description = {
    url,
    issuer: url,
    phoneUrl: `${url}/phone`,
    shopUrl: `${url}/shop`,
    mtls,
    clients: sandboxClients,
  };
  const router = new PageRouter(new Set([new URL(url).hostname, '127.0.0.1', 'localhost', '[::1]']));
  addPageRoutes(router, { ...description, accounts });
  addPhoneRoutes(router, phone);
  addShopRoutes(router, shop);

  const onRequest: RequestHandler = (req, res) => {
    router.handle(req, res).then(
      (handled) => (handled ? undefined : onMtlsRequest(req, res)),
      (error: unknown) => {
        log('error', 'A page of the sandbox failed', { path: req.url, error: String(error) });
        if (res.headersSent) res.destroy();
        else sendProblem(res, new HttpProblem(500, 'internal_error', 'The sandbox failed; its log says why.'));
      },
    );
  };
  return { description, provider, onRequest, onMtlsRequest: (req, res) => void onMtlsRequest(req, res) };
}
