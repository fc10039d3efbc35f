import {
  configuredApiClient,
  configuredRule,
  configuredTokenProvider,
  configuredWebhookEndpoint,
  escapeReferences,
  rejectionHandlerBody,
  variableFor,
  type ExportConfigurationQuery,
  type ExportedConfiguration,
} from '#lib/contracts';
import { Database, type ApiClientRow, type KeyPairRow, type RuleRow, type WebhookEndpointRow } from '#lib/persistence';
import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { ruleBodyOf } from '../rules/rule-value.js';
import { apiClientBodyOf } from './configured-api-clients.js';
import { rejectionHandlerBodyOf } from './configured-rejection-handlers.js';
import { namedRule } from './configured-rules.js';
import { tokenProviderBodyOf } from './configured-token-providers.js';
import { nameOfEndpoint, webhookEndpointBodyOf } from './configured-webhook-endpoints.js';
import { Names } from './names.js';
import { takeSnapshot, type Snapshot } from './snapshot.js';
import { withoutDefaults } from './without-defaults.js';

/** Shows everything as one configuration; references stand where secrets would. */
@Injectable()
export class ExportConfiguration {
  constructor(private readonly database: Database) {}

  async run({ secrets }: ExportConfigurationQuery): Promise<ExportedConfiguration> {
    return exported(await takeSnapshot(this.database), secrets === 'references' ? new References() : null);
  }
}

/** A configuration that makes what is in the snapshot; without references secrets are left out, and stay as they are. */
function exported(snapshot: Snapshot, references: References | null): ExportedConfiguration {
  const names = Names.of(snapshot);
  const endpointNames = new UniqueNames(snapshot.webhookEndpoints.flatMap(({ name }) => name ?? []));
  const sections = {
    tokenProviders: snapshot.tokenProviders.map((row) =>
      escaped(withoutDefaults(configuredTokenProvider, tokenProviderBodyOf(row))),
    ),
    keyPairs: snapshot.keyPairs.map((row) => keyPairOf(row, references)),
    rejectionHandlers: snapshot.rejectionHandlers
      .filter(({ predefined }) => !predefined)
      .map((row) => escaped(withoutDefaults(handlerSchema(row.definition.type), rejectionHandlerBodyOf(row)))),
    rules: snapshot.rules.map((row) => ruleOf(row, names, references)),
    webhookEndpoints: snapshot.webhookEndpoints.map((row) => endpointOf(row, endpointNames, references)),
    apiClients: snapshot.apiClients.map((row) => clientOf(row, names, references)),
  };
  const filled = Object.entries(sections).filter(([, objects]) => objects.length > 0);
  return { version: 1, ...Object.fromEntries(filled) };
}

const handlerSchema = (type: string): z.ZodObject =>
  rejectionHandlerBody.options.find(({ shape }) => shape.type.value === type)!;

function keyPairOf({ alias, certificateChainPem }: KeyPairRow, references: References | null) {
  const certificate = certificateChainPem.map((pem) => pem.trim()).join('\n');
  return {
    alias: escaped(alias),
    pem: {
      certificate: `${certificate}\n`,
      ...(references && { privateKey: references.file(alias) }),
    },
  };
}

function ruleOf(row: RuleRow, names: Names, references: References | null) {
  const { name } = row.definition;
  const body = withoutDefaults(configuredRule, namedRule(ruleBodyOf(row.definition) as RuleRow['definition'], names));
  const shown = escaped(body) as { clientCredentials: { type: string } };
  const { type, ...rest } = shown.clientCredentials;
  const method = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  const secret = references !== null && type === 'secret';
  const clientSecret = secret ? { clientSecret: references.variable('RULE', name, 'CLIENT_SECRET') } : {};
  return { ...shown, clientCredentials: { type, ...method, ...clientSecret } };
}

function endpointOf(row: WebhookEndpointRow, names: UniqueNames, references: References | null) {
  const name = row.name ?? names.take(nameOfEndpoint(row));
  const { events, ...body } = withoutDefaults(configuredWebhookEndpoint, { ...webhookEndpointBodyOf(row), name });
  return {
    ...escaped(body),
    ...(events !== undefined && { events }),
    ...(references && { secret: references.variable('WEBHOOK', name, 'SECRET') }),
  };
}

function clientOf(row: ApiClientRow, names: Names, references: References | null) {
  const { name, hasCallbackSecret } = row;
  return {
    ...escaped(withoutDefaults(configuredApiClient, apiClientBodyOf(row, names))),
    ...(references && { key: references.variable('CLIENT', name, 'KEY') }),
    ...(references && hasCallbackSecret && { callbackSecret: references.variable('CLIENT', name, 'CALLBACK_SECRET') }),
  };
}

/** Nothing in it is taken for a reference. */
function escaped<Value>(value: Value): Value {
  if (typeof value === 'string') return escapeReferences(value) as Value;
  if (Array.isArray(value)) return value.map(escaped) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, content]) => [name, escaped(content)])) as Value;
}

/** Names of which none comes twice. */
class UniqueNames {
  private readonly taken: Set<string>;

  constructor(taken: readonly string[] = []) {
    this.taken = new Set(taken);
  }

  take(wanted: string, separator = ' '): string {
    let name = wanted;
    for (let number = 2; this.taken.has(name); number++) name = `${wanted}${separator}${number}`;
    this.taken.add(name);
    return name;
  }
}

/** References to where secrets are kept: a place of its own for each. */
class References {
  private readonly names = new UniqueNames();

  variable(kind: string, name: string, member: string): string {
    return `\${env:${this.names.take(variableFor('ASSENT', kind, name, member), '_')}}`;
  }

  file(alias: string): string {
    const name = this.names.take(variableFor(alias).toLowerCase() || 'key', '_');
    return `\${file:${name}.key.pem}`;
  }
}
