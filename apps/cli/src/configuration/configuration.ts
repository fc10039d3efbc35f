import { referencesIn, type ExportedConfiguration } from '#lib/contracts';
import { stringify } from 'yaml';
import { Refusal, type AssentApi } from '../assent-api.js';
import { CommandProblem, exitCodes, painter, printable, type ExitCode, type Surroundings } from '../terminal.js';
import { differenceReport, findingsReport, secretsReport } from './configuration-report.js';
import { mergeSources, type Merged } from './merge-sources.js';
import { resolveSource } from './resolve-source.js';
import { readSources, type Finding, type Source } from './sources.js';

/** What was asked to be done with a configuration. */
export type ConfigurationWish =
  | { readonly kind: 'validate'; readonly paths: readonly string[]; readonly json: boolean }
  | { readonly kind: 'diff'; readonly paths: readonly string[]; readonly prune: boolean; readonly json: boolean }
  | {
      readonly kind: 'apply';
      readonly paths: readonly string[];
      readonly prune: boolean;
      readonly dryRun: boolean;
      readonly json: boolean;
    }
  | { readonly kind: 'export'; readonly withoutSecrets: boolean; readonly json: boolean };

export const configurationCommands = ['validate', 'diff', 'apply', 'export'] as const;
export type ConfigurationCommand = (typeof configurationCommands)[number];

/**
 * Reads what was typed after one of the commands.
 *
 * @throws CommandProblem
 */
export function configurationWish(
  kind: ConfigurationCommand,
  paths: readonly string[],
  flags: {
    readonly prune?: boolean;
    readonly 'dry-run'?: boolean;
    readonly 'without-secrets'?: boolean;
    readonly json: boolean;
  },
): ConfigurationWish {
  const { prune = false, 'dry-run': dryRun = false, 'without-secrets': withoutSecrets = false, json } = flags;
  if (prune && kind !== 'diff' && kind !== 'apply') throw new CommandProblem('--prune goes with diff and apply.');
  if (dryRun && kind !== 'apply') throw new CommandProblem('--dry-run goes with apply and import.');
  if (withoutSecrets && kind !== 'export') throw new CommandProblem('--without-secrets goes with export.');
  if (kind === 'export') {
    if (paths.length > 0) throw new CommandProblem('export takes no files: it writes to the standard output.');
    return { kind, withoutSecrets, json };
  }
  if (paths.length === 0)
    throw new CommandProblem(`Say which: assent ${kind} <file or folder>…, or - for what is piped in.`);
  switch (kind) {
    case 'validate':
      return { kind, paths, json };
    case 'diff':
      return { kind, paths, prune, json };
    case 'apply':
      return { kind, paths, prune, dryRun, json };
  }
}

/**
 * Checks, compares, applies or writes out a configuration.
 *
 * @throws CommandProblem
 */
export async function configurationCommand(
  wish: ConfigurationWish,
  api: () => AssentApi,
  at: Surroundings,
): Promise<ExitCode> {
  if (wish.kind === 'export') return exportConfiguration(wish, api(), at);
  const asWritten = wish.kind === 'validate';
  const { sources, findings: unread } = await readSources(wish.paths, at);
  const { sources: ready, findings: unresolved } = asWritten ? { sources, findings: [] } : await resolved(sources, at);
  if (sources.length === 0 && unread.length === 0)
    throw new CommandProblem('There is no configuration in what was given.');
  const { merged, findings: wrong } = mergeSources(ready, { asWritten });
  // What an unresolved reference leads to is no problem of its own.
  const findings = [...unread, ...(unresolved.length > 0 ? unresolved : wrong)];
  if (findings.length > 0) return tell(findings, wish.json, at);
  switch (wish.kind) {
    case 'validate':
      at.out.write(wish.json ? json({ ok: true, problems: [] }) : `${countOf(merged)} objects, nothing wrong.\n`);
      return exitCodes.fine;
    case 'diff':
      return located(merged, wish.json, at, async () => {
        const difference = await api().diffConfiguration(merged.configuration, wish.prune);
        at.out.write(wish.json ? json(difference) : differenceReport(difference, painter(at.out, at.env)));
        return difference.changes.length === 0 ? exitCodes.fine : exitCodes.differs;
      });
    case 'apply':
      return located(merged, wish.json, at, async () => {
        const { prune, dryRun } = wish;
        const result = await api().applyConfiguration(merged.configuration, { prune, dryRun });
        const paint = painter(at.out, at.env);
        const end = dryRun ? 'Nothing was changed: this was a dry run.\n' : 'Applied.\n';
        at.out.write(wish.json ? json(result) : differenceReport(result, paint) + end + secretsReport(result, paint));
        return exitCodes.fine;
      });
  }
}

async function resolved(sources: readonly Source[], { env }: Surroundings) {
  const all = { sources: [] as Source[], findings: [] as Finding[] };
  for (const source of sources) {
    const one = await resolveSource(source, env);
    all.sources.push(one.source);
    all.findings.push(...one.findings);
  }
  return all;
}

/** Tells what Assent refuses by its place in the files. */
async function located(
  merged: Merged,
  asJson: boolean,
  at: Surroundings,
  work: () => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal) || error.errors.length === 0) throw error;
    const findings = error.errors.map(({ pointer, detail }) => {
      const inner = pointer.replace(/^\/configuration/, '');
      return { place: merged.placeOf(inner) ?? (printable(inner) || 'Assent'), problem: printable(detail) };
    });
    return tell(findings, asJson, at);
  }
}

function tell(findings: readonly Finding[], asJson: boolean, { out, err }: Surroundings): ExitCode {
  if (asJson) out.write(json({ ok: false, problems: findings }));
  else err.write(findingsReport(findings));
  return exitCodes.broken;
}

async function exportConfiguration(
  { withoutSecrets, json: asJson }: Extract<ConfigurationWish, { kind: 'export' }>,
  api: AssentApi,
  { out }: Surroundings,
): Promise<ExitCode> {
  const exported = await api.exportConfiguration(withoutSecrets ? 'left-out' : 'references');
  out.write(asJson ? json(exported) : `${headOf(exported, api.url)}${stringify(exported, { lineWidth: 0 })}`);
  return exitCodes.fine;
}

/** What somebody has to know who applies it elsewhere. */
function headOf(exported: ExportedConfiguration, url: string): string {
  const targets = referencesIn(JSON.stringify(exported)).map(({ kind, target }) => `#   ${kind} ${target}\n`);
  const needs =
    targets.length === 0 ? '' : `# Where it is applied there have to be:\n${[...new Set(targets)].join('')}`;
  return `# yaml-language-server: $schema=${url}/configuration.schema.json\n${needs}\n`;
}

const countOf = ({ configuration }: Merged): number =>
  Object.values(configuration).reduce((sum, objects) => sum + objects.length, 0);

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
