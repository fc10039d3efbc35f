/** The parts of a distinguished name that a form asks for, in the order in which they are written. */
export const nameParts = [
  ['CN', 'Common Name'],
  ['O', 'Organization'],
  ['OU', 'Organizational Unit'],
  ['L', 'City'],
  ['ST', 'State'],
  ['C', 'Country'],
] as const;
export type NamePart = (typeof nameParts)[number][0];

/** A distinguished name as text (RFC 4514 §2.4); empty parts are left out. */
export const distinguishedName = (parts: Readonly<Record<NamePart, string>>): string =>
  nameParts
    .map(([part]) => [part, parts[part].trim()] as const)
    .filter(([, value]) => value !== '')
    .map(([part, value]) => `${part}=${value.replace(/[,+"\\<>;=]/g, '\\$&').replace(/^#/, '\\#')}`)
    .join(', ');
