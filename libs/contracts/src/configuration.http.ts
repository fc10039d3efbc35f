import { configuredKinds } from '#lib/domain';
import { z } from 'zod';
import { configuration } from './configuration.js';

const prune = z
  .boolean()
  .default(false)
  .meta({
    description:
      'Delete what the configuration does not name, in the sections that it has: a section that is not there is left alone, ' +
      'an empty one is emptied. What is predefined stays.',
  });

/** How secrets are shown, of which the API knows none. */
export const exportConfigurationQuery = z.strictObject({
  secrets: z
    .enum(['references', 'left-out'])
    .default('references')
    .meta({
      description:
        '`references`: where a secret would stand, `${env:NAME}` or `${file:path}` does, for `assent apply`. `left-out`: ' +
        'nothing does, so that the document can be applied where the secrets are already.',
    }),
});
export type ExportConfigurationQuery = z.infer<typeof exportConfigurationQuery>;

const objects = z.array(z.record(z.string(), z.unknown())).optional();

/** A configuration that would make everything as it is; what is as by default is left out. */
export const exportedConfiguration = z
  .strictObject({
    version: z.literal(1),
    tokenProviders: objects,
    keyPairs: objects,
    rejectionHandlers: objects,
    rules: objects,
    webhookEndpoints: objects,
    apiClients: objects,
  })
  .meta({ id: 'ExportedConfiguration', description: 'A `Configuration` without secrets.' });
export type ExportedConfiguration = z.infer<typeof exportedConfiguration>;

/** What is compared with what there is. */
export const configurationDiffBody = z.strictObject({ configuration, prune }).meta({ id: 'ConfigurationDiffBody' });
export type ConfigurationDiffBody = z.infer<typeof configurationDiffBody>;

const dryRun = z.boolean().default(false).meta({
  description: 'Do everything, and take it back at the end: the answer and the refusals are those of a real call.',
});

export const configurationApplyBody = z
  .strictObject({ configuration, prune, dryRun })
  .meta({ id: 'ConfigurationApplyBody' });
export type ConfigurationApplyBody = z.infer<typeof configurationApplyBody>;

/** One object that differs, and in what. */
export const configurationChange = z
  .strictObject({
    kind: z.enum(configuredKinds),
    name: z.string(),
    action: z.enum(['create', 'update', 'delete']),
    changes: z
      .array(z.strictObject({ pointer: z.string(), before: z.unknown(), after: z.unknown() }))
      .meta({ description: 'What differs, by JSON pointer. Of a secret only that it does.' }),
  })
  .meta({ id: 'ConfigurationChange' });
export type ConfigurationChange = z.infer<typeof configurationChange>;

const difference = {
  changes: z.array(configurationChange).meta({ description: 'In the order in which they are made; empty: none.' }),
  unchanged: z.int().meta({ description: 'How many objects of the configuration are as it says.' }),
};

export const configurationDiff = z.strictObject(difference).meta({ id: 'ConfigurationDiff' });
export type ConfigurationDiff = z.infer<typeof configurationDiff>;

/** What an apply has done: all of it, or, when it answered a problem, nothing. */
export const configurationResult = z
  .strictObject({
    ...difference,
    dryRun: z.boolean().meta({ description: 'True: nothing of it stayed.' }),
    secrets: z
      .array(
        z.strictObject({
          kind: z.enum(['webhook-endpoint', 'api-client']),
          name: z.string(),
          member: z.enum(['secret', 'key', 'callbackSecret']),
          value: z.string(),
        }),
      )
      .meta({ description: 'Keys and secrets that were made for what the configuration gave none; shown once.' }),
  })
  .meta({ id: 'ConfigurationResult' });
export type ConfigurationResult = z.infer<typeof configurationResult>;
