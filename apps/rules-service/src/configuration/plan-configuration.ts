import type { Configuration } from '#lib/contracts';
import { inOrderOfReferences, type ConfiguredKind } from '#lib/domain';
import type {
  Acting,
  AdminRow,
  ApiClientRow,
  Database,
  KeyPairRow,
  RejectionHandlerRow,
  RuleRow,
  TokenProviderRow,
  WebhookEndpointRow,
} from '#lib/persistence';
import { ProblemError, type OutboundGuard } from '#lib/runtime';
import { planApiClient } from './configured-api-clients.js';
import { planKeyPair } from './configured-key-pairs.js';
import { planRejectionHandler } from './configured-rejection-handlers.js';
import { planRule } from './configured-rules.js';
import { planTokenProvider } from './configured-token-providers.js';
import { nameOfEndpoint, planWebhookEndpoint } from './configured-webhook-endpoints.js';
import { Names } from './names.js';
import { planSection, type Section, type SectionPlan } from './plan-section.js';
import { takeSnapshot, type Snapshot } from './snapshot.js';
import type { Planning, Step } from './step.js';

/** What a configuration demands of what there is. */
export interface Plan {
  /** In an order in which they can be made. */
  readonly steps: readonly Step[];
  /** How many objects of the configuration are as it says. */
  readonly unchanged: number;
  /** Of what is there. */
  readonly names: Names;
}

/** What is asked for, and by whom. */
export interface PlanOrder {
  readonly configuration: Configuration;
  readonly prune: boolean;
  readonly acting: Acting;
}

/** Compares a configuration with what there is; writes nothing. */
export class PlanConfiguration {
  constructor(private readonly parts: { readonly database: Database; readonly guard: OutboundGuard }) {}

  /** @throws ProblemError that names everything that is wrong, each by its place in the body */
  async run(order: PlanOrder): Promise<Plan> {
    const snapshot = await takeSnapshot(this.parts.database);
    const names = Names.of(snapshot);
    const willBe = afterwards(order, snapshot, names);
    const sections = await this.sections(order, snapshot, { ...this.parts, now: new Date(), names, willBe });
    const problems = sections.flatMap((section) => section.problems);
    if (problems.length > 0) throw together(problems);
    return {
      steps: inOrderOfReferences(sections.flatMap(({ steps }) => steps)),
      unchanged: sections.reduce((sum, section) => sum + section.unchanged, 0),
      names,
    };
  }

  private async sections(order: PlanOrder, snapshot: Snapshot, planning: Planning): Promise<SectionPlan[]> {
    const { configuration, prune } = order;
    const { database } = this.parts;
    const plan = <Body extends object, Row extends AdminRow>(one: Section<Body, Row>) => planSection(one, prune);
    return [
      await plan({
        section: 'tokenProviders',
        bodies: configuration.tokenProviders,
        rows: snapshot.tokenProviders,
        nameOf: named,
        nameOfRow: named,
        plan: (body, row: TokenProviderRow | null) => planTokenProvider(body, row, planning),
        store: database.tokenProviders,
      }),
      await plan({
        section: 'keyPairs',
        bodies: configuration.keyPairs,
        rows: snapshot.keyPairs,
        nameOf: aliased,
        nameOfRow: aliased,
        plan: (body, row: KeyPairRow | null) => planKeyPair(body, row, planning),
        store: database.keyPairs,
      }),
      await plan({
        section: 'rejectionHandlers',
        bodies: configuration.rejectionHandlers,
        rows: snapshot.rejectionHandlers,
        nameOf: named,
        nameOfRow: named,
        plan: (body, row: RejectionHandlerRow | null) => planRejectionHandler(body, row, planning),
        store: database.rejectionHandlers,
        mayGo: ({ predefined }) => !predefined,
      }),
      await plan({
        section: 'rules',
        bodies: configuration.rules,
        rows: snapshot.rules,
        nameOf: named,
        nameOfRow: ({ definition }) => definition.name,
        plan: (body, row: RuleRow | null) =>
          planRule(body, row, planning, profileOf(body.tokenProvider, order, snapshot)),
        store: database.rules,
      }),
      await plan({
        section: 'webhookEndpoints',
        bodies: configuration.webhookEndpoints,
        rows: snapshot.webhookEndpoints,
        nameOf: named,
        nameOfRow: ({ name }) => name,
        // One that has no name yet is known by its address, and gets the name.
        otherwise: ({ url }, rows) => rows.find((row) => row.url === url),
        plan: (body, row: WebhookEndpointRow | null) => planWebhookEndpoint(body, row, planning),
        store: database.webhookEndpoints,
        called: nameOfEndpoint,
      }),
      await plan({
        section: 'apiClients',
        bodies: configuration.apiClients,
        rows: snapshot.apiClients,
        nameOf: named,
        nameOfRow: named,
        plan: (body, row: ApiClientRow | null) => planApiClient(body, row, planning),
        store: database.apiClients,
        mayGo: (row) => isSomebodyElse(row, order.acting),
      }),
    ];
  }
}

const named = ({ name }: { readonly name: string }): string => name;
const aliased = ({ alias }: { readonly alias: string }): string => alias;

/** Whether something of this name will be there once the configuration is applied. */
function afterwards(
  { configuration, prune }: PlanOrder,
  { rejectionHandlers }: Snapshot,
  names: Names,
): Planning['willBe'] {
  const own: Partial<Record<ConfiguredKind, ReadonlySet<string> | undefined>> = {
    'token-provider': setOf(configuration.tokenProviders?.map(named)),
    'key-pair': setOf(configuration.keyPairs?.map(aliased)),
    'rejection-handler': setOf(configuration.rejectionHandlers?.map(named)),
    rule: setOf(configuration.rules?.map(named)),
  };
  const predefined = new Set(rejectionHandlers.filter((row) => row.predefined).map(named));
  return (kind, name) => {
    if (own[kind]?.has(name) === true) return true;
    if (kind === 'rejection-handler' && predefined.has(name)) return true;
    return names.idOf(kind, name) !== undefined && !(prune && own[kind] !== undefined);
  };
}

const setOf = (names: readonly string[] | undefined) => names && new Set(names);

function profileOf(name: string, { configuration }: PlanOrder, { tokenProviders }: Snapshot) {
  const provider = configuration.tokenProviders?.find((one) => one.name === name);
  return (provider ?? tokenProviders.find((one) => one.name === name))?.profile;
}

/**
 * A key that is used to apply a configuration does not take itself away by leaving itself out.
 *
 * @throws ProblemError `in_use`
 */
function isSomebodyElse({ id, name }: ApiClientRow, { actor }: Acting): true {
  if (id !== actor.id) return true;
  const detail = `The API client "${name}" makes this call and is not in the configuration: put it there, or use another key.`;
  throw new ProblemError('in_use', detail);
}

/** All that is wrong as one problem. */
function together(problems: readonly ProblemError[]): ProblemError {
  const [first] = problems as [ProblemError];
  if (problems.length === 1) return first;
  const errors = problems.flatMap(({ extras }) => extras.errors ?? []);
  const code = problems.every((problem) => problem.code === first.code) ? first.code : 'invalid_body';
  return new ProblemError(code, `${first.detail} (and ${errors.length - 1} more, see errors)`, { errors });
}
