import { request } from 'undici';
import { serve } from '../harness/serve.js';
import { Receiver } from './receiver.js';
import { startRawHttp, type RawRequest, type ServerTls } from './raw-http-server.js';
import { StubProvider, type ProviderBehaviour } from './stub-provider.js';

/** All that is outside of Assent, in one process: the token provider, and the receiver of callbacks. */
const provider = new StubProvider();
const receiver = new Receiver();

/** As many applications as there are callbacks for. */
const receivers = 20;

const answer = (call: RawRequest) => provider.handle(call) ?? 'HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n';

/** What is outside, as it tells of itself. */
export interface Outside {
  readonly issuer: string;
  /** The one client that the provider knows. */
  readonly clientId: string;
  readonly receiverUrls: readonly string[];
}

serve({
  start: async () => {
    const ports: number[] = [];
    for (let at = 0; at < receivers; at++) ports.push((await startRawHttp((call) => receiver.handle(call))).port);
    const { port } = await startRawHttp(answer);
    provider.issuer = `http://127.0.0.1:${port}`;
    const receiverUrls = ports.map((each) => `http://127.0.0.1:${each}`);
    return { issuer: provider.issuer, clientId: provider.clientId, receiverUrls } satisfies Outside;
  },
  /** The provider is to be reached over mutual TLS as well, and calls itself by that address from now on. */
  secure: async (tls: ServerTls) => {
    const { port } = await startRawHttp(answer, tls);
    provider.issuer = `https://127.0.0.1:${port}`;
    return provider.issuer;
  },
  behave: (behaviour: ProviderBehaviour) => provider.configure(behaviour),
  reset: () => {
    provider.reset();
    receiver.reset();
  },
  provider: () => provider.report(),
  receiver: () => receiver.report(),
  received: ({ count, limitMs }: { count: number; limitMs: number }) => receiver.until(count, limitMs),
  polls: () => provider.polls,
  mark: () => provider.mark(),
  sinceMark: () => provider.sinceMark(),
  ping: async ({ hint, url }: { hint: string; url: string }) => {
    const ping = provider.pingOf(hint);
    if (ping === null) throw new Error(`nobody was asked about ${hint}`);
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ping.token}` },
      body: JSON.stringify({ auth_req_id: ping.authReqId }),
    });
    await body.dump();
    if (statusCode !== 204) throw new Error(`the ping was answered ${statusCode}`);
  },
});
