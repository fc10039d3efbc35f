import { pathToFileURL } from 'node:url';
import { brokerDefinitions, brokerServices, type BrokerService, type BrokerUsers } from './broker-users.js';

const limitMs = 10_000;

/**
 * The users that the environment names passwords for: each is called like its service, behind `assent-`.
 *
 * @throws Error that names every service without a password
 */
function usersOfEnvironment(env: Readonly<Record<string, string | undefined>>): BrokerUsers {
  const passwords: Record<BrokerService, string | undefined> = {
    'rules-service': env['ASSENT_RULES_SERVICE_BROKER_PASSWORD'],
    'ciba-worker': env['ASSENT_CIBA_WORKER_BROKER_PASSWORD'],
    poller: env['ASSENT_POLLER_BROKER_PASSWORD'],
    'decision-service': env['ASSENT_DECISION_SERVICE_BROKER_PASSWORD'],
  };
  const missing = brokerServices.filter((service) => !passwords[service]);
  if (missing.length > 0) {
    throw new Error(`No password for ${missing.join(', ')}: set ASSENT_<SERVICE>_BROKER_PASSWORD for each.`);
  }
  const user = (service: BrokerService) => ({ name: `assent-${service}`, password: passwords[service]! });
  const users = Object.fromEntries(brokerServices.map((service) => [service, user(service)])) as BrokerUsers['users'];
  return { vhost: env['ASSENT_BROKER_VHOST'] || '/', users };
}

/**
 * Gives the definitions to the broker's management API; what is there by the same name becomes what they say.
 *
 * @throws Error with the status that was answered
 */
async function importDefinitions(managementUrl: string, definitions: object): Promise<void> {
  const url = new URL('api/definitions', managementUrl.endsWith('/') ? managementUrl : `${managementUrl}/`);
  const { username, password } = url;
  url.username = url.password = '';
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const answer = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    headers: {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(definitions),
    signal: AbortSignal.timeout(limitMs),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`The management API answered ${answer.status}.`);
}

async function main(): Promise<void> {
  const definitions = brokerDefinitions(usersOfEnvironment(process.env));
  const managementUrl = process.env['RABBITMQ_MANAGEMENT_URL'];
  if (managementUrl === undefined || managementUrl === '') {
    process.stdout.write(`${JSON.stringify(definitions, null, 2)}\n`);
    return;
  }
  await importDefinitions(managementUrl, definitions);
  process.stdout.write(`Users: ${definitions.users.map(({ name }) => name).join(', ')}\n`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: unknown) => {
    process.stderr.write(`The users were not made: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
