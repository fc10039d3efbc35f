import type { FindingSeverity, ProviderCheck, ProviderFinding, TokenProvider } from '#lib/contracts';
import { printable, wrap, type Colour } from './terminal.js';

/** One token provider with what the service found. */
export interface Visit {
  readonly provider: TokenProvider;
  readonly check: ProviderCheck;
}

/** How a report looks. */
export interface ReportStyle {
  readonly paint: (colour: Colour, text: string) => string;
  /** In columns. */
  readonly width: number;
}

const marks: Readonly<Record<FindingSeverity, readonly [label: string, colour: Colour]>> = {
  error: ['error  ', 'red'],
  warning: ['warning', 'yellow'],
  note: ['note   ', 'dim'],
};
const indentation = ' '.repeat(11);

/** What was found, for a person to read: worst first, each with what to do. */
export function reportOf(visits: readonly Visit[], style: ReportStyle): string {
  const parts = visits.map((visit) => visitReport(visit, style));
  return `${[...parts, summary(visits, style)].join('\n\n')}\n`;
}

function visitReport({ provider, check }: Visit, style: ReportStyle): string {
  const { paint } = style;
  const heading = `${paint('bold', printable(provider.name))}  ${paint('dim', printable(provider.issuer))}`;
  const findings = check.findings.map((finding) => findingReport(finding, style));
  return [heading, ...(findings.length === 0 ? [`  ${paint('green', 'fine')}`] : findings)].join('\n');
}

function findingReport(finding: ProviderFinding, { paint, width }: ReportStyle): string {
  const [label, colour] = marks[finding.severity];
  const subject = finding.rule === undefined ? finding.about : `rule "${printable(finding.rule.name)}"`;
  const title = `  ${paint(colour, label)}  ${printable(finding.title)} ${paint('dim', `· ${subject} · ${finding.code}`)}`;
  const detail = wrap(printable(finding.detail), indentation, width);
  const remedy = finding.severity === 'note' ? [] : [wrap(`→ ${printable(finding.remedy)}`, indentation, width)];
  return [title, ...(finding.detail === '' ? [] : [paint('dim', detail)]), ...remedy].join('\n');
}

function summary(visits: readonly Visit[], { paint }: ReportStyle): string {
  const all = visits.flatMap(({ check }) => check.findings);
  const count = (severity: FindingSeverity) => all.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const text = `${plural(visits.length, 'token provider')}: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
  return paint(errors > 0 ? 'red' : warnings > 0 ? 'yellow' : 'green', text);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
