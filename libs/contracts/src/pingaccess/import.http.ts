import { configuredKinds } from '#lib/domain';
import { z } from 'zod';
import { configurationResult } from '../configuration.http.js';

/** What is to be imported, and how. */
export const pingAccessImportBody = z
  .strictObject({
    export: z.record(z.string(), z.unknown()).meta({
      description:
        'An export of PingAccess’ administrative API (`pa-data-….json`), or those sections of it that matter.',
    }),
    inputs: z
      .record(z.string().max(512), z.string().max(65_536))
      .default({})
      .meta({ description: 'What the export does not tell, by the keys of `needs` in an earlier answer.' }),
    ruleClass: z.string().min(1).max(256).nullable().default(null).meta({
      description: 'The class of one-time-authorization rules, where they are not recognised by their shape.',
    }),
    incomplete: z
      .enum(['refuse', 'leave-out'])
      .default('refuse')
      .meta({
        description:
          'What to do about objects that need input which is not there. `refuse`: import nothing. `leave-out`: import the ' +
          'others; nothing comes without what it refers to.',
      }),
    dryRun: z.boolean().default(false).meta({ description: 'Try everything, keep nothing.' }),
  })
  .meta({ id: 'PingAccessImportBody' });
export type PingAccessImportBody = z.infer<typeof pingAccessImportBody>;

const importOutcomes = ['create', 'exists', 'skip', 'needs-input'] as const;

/** One object of the export, and what becomes of it. */
export const pingAccessImportItem = z
  .strictObject({
    source: z.string().meta({ description: 'Where in the export it stands, as a JSON pointer.' }),
    kind: z.enum(configuredKinds),
    name: z.string(),
    outcome: z.enum(importOutcomes).meta({
      description:
        '`create`: it is made. `exists`: something of this name is there already, and stays as it is. `skip`: it is not ' +
        'for Assent. `needs-input`: the export does not tell enough.',
    }),
    notes: z.array(z.string()).meta({ description: 'What to know: what was assumed, left out, or is missing.' }),
    needs: z
      .array(z.strictObject({ key: z.string(), what: z.string() }))
      .meta({ description: 'What has to be given in `inputs`.' }),
  })
  .meta({ id: 'PingAccessImportItem' });
export type PingAccessImportItem = z.infer<typeof pingAccessImportItem>;

/** What an import found, and what it did: all of it, or nothing. */
export const pingAccessImport = z
  .strictObject({
    items: z.array(pingAccessImportItem),
    ignored: z
      .array(z.strictObject({ section: z.string(), objects: z.int() }))
      .meta({ description: 'Sections of the export that are not for Assent.' }),
    dryRun: z.boolean().meta({ description: 'True: nothing of it stayed.' }),
    result: configurationResult.nullable().meta({
      description: 'What was changed. Null: of a dry run, when input is missing without which nothing is imported.',
    }),
  })
  .meta({ id: 'PingAccessImport' });
export type PingAccessImport = z.infer<typeof pingAccessImport>;
