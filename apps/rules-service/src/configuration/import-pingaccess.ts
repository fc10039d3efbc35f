import {
  configuration,
  mapPingAccess,
  type PingAccessImport,
  type PingAccessImportBody,
  type PingAccessMapping,
} from '#lib/contracts';
import { Database, type Acting } from '#lib/persistence';
import { ProblemError } from '#lib/runtime';
import { Injectable } from '@nestjs/common';
import { ApplyConfiguration } from './apply-configuration.js';
import { Names } from './names.js';
import type { Plan } from './plan-configuration.js';
import { takeSnapshot } from './snapshot.js';

/** Imports what PingAccess has for Assent: all of it in one transaction, or nothing. What is there already stays. */
@Injectable()
export class ImportPingAccess {
  constructor(
    private readonly database: Database,
    private readonly applyConfiguration: ApplyConfiguration,
  ) {}

  /** @throws ProblemError for missing input, unless what is incomplete is left out, and for what cannot work here */
  async run(
    { export: exported, inputs, ruleClass, incomplete, dryRun }: PingAccessImportBody,
    acting: Acting,
  ): Promise<PingAccessImport> {
    const names = Names.of(await takeSnapshot(this.database));
    const exists = (...named: Parameters<Names['idOf']>) => names.idOf(...named) !== undefined;
    const mapping = mapPingAccess(exported, { inputs, ruleClass, exists });
    const { items, ignored } = mapping;
    const answer = { items: [...items], ignored, dryRun };
    if (incomplete === 'refuse' && items.some(({ outcome }) => outcome === 'needs-input')) {
      if (!dryRun) throw inputMissing(mapping);
      return { ...answer, result: null };
    }
    const order = { configuration: configuration.parse(mapping.configuration), prune: false, dryRun };
    try {
      return { ...answer, result: await this.applyConfiguration.run(order, acting, refuseToOverwrite) };
    } catch (error) {
      throw error instanceof ProblemError ? toldBySource(error, mapping) : error;
    }
  }
}

/** Somebody made something of the same name meanwhile. */
function refuseToOverwrite({ steps }: Plan): void {
  if (steps.every(({ action }) => action === 'create')) return;
  throw new ProblemError('busy', 'Others change the configuration at the same time. Nothing was changed; try again.', {
    headers: { 'retry-after': '1' },
  });
}

function inputMissing({ items }: PingAccessMapping): ProblemError {
  const incomplete = items.filter(({ outcome }) => outcome === 'needs-input');
  const errors = incomplete.flatMap(({ source, kind, name, needs, notes }) => {
    const object = `${kind.replace('-', ' ')} "${name}"`;
    if (needs.length === 0) {
      return [{ pointer: `/export${source}`, code: 'incomplete', detail: `${object}: ${notes.join(' ')}` }];
    }
    return needs.map(({ key, what }) => ({
      pointer: `/inputs/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      code: 'needs_input',
      detail: `${object}: ${what}`,
    }));
  });
  const detail = `${incomplete.length} objects are not complete, so nothing was imported. Give what errors name in inputs, or leave them out.`;
  return new ProblemError('invalid_body', detail, { errors });
}

/** What the configuration is refused for, told by its place in the export. */
function toldBySource({ code, detail, extras }: ProblemError, { sources }: PingAccessMapping): ProblemError {
  const errors = extras.errors?.map((error) => {
    const [, section, index, rest] = /^\/configuration\/(\w+)\/(\d+)(.*)$/.exec(error.pointer) ?? [];
    const source = sources[section as keyof typeof sources]?.[Number(index)];
    return source === undefined ? error : { ...error, pointer: `/export${source}${rest}` };
  });
  return new ProblemError(code, detail, { ...extras, ...(errors && { errors }) });
}
