/**
 * Writes the documents that follow from the code: the API descriptions, the configuration reference and the pictures
 * in docs/architecture.md. With `--check` it writes nothing and fails when one of them is stale.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './install.mjs';
import { Obstacle, run } from './progress.mjs';

register('./typescript-hooks.mjs', import.meta.url);
const load = (path) => import(pathToFileURL(join(root, path)).href);

await run(async () => {
  const contracts = await load('libs/contracts/src/index.ts');
  const domain = await load('libs/domain/src/index.ts');
  const documents = {
    'docs/openapi.json': json(contracts.openApi()),
    'docs/asyncapi.json': json(contracts.asyncApi()),
    'docs/configuration.schema.json': json(contracts.configurationJsonSchema()),
    'docs/configuration.md': await configuration(),
    ...(await errorPages(contracts)),
    'docs/architecture.md': await markdown(
      replaceBlocks('docs/architecture.md', 'picture', {
        imports: mermaid(await importPicture()),
        states: mermaid(statePicture(domain.moves)),
      }),
    ),
    'docs/operations.md': await markdown(
      replaceBlocks('docs/operations.md', 'table', {
        metrics: await metricsTable(),
        findings: findingsTable(contracts.providerFindings),
        privileges: privilegesTable(await load('libs/persistence/src/database-roles/privileges.ts')),
        broker: brokerTable(await load('libs/messaging/src/rabbit/broker-users.ts')),
      }),
    ),
  };
  const known = existsSync(join(root, 'docs/errors')) ? await readdir(join(root, 'docs/errors')) : [];
  const surplus = known.map((name) => `docs/errors/${name}`).filter((path) => !(path in documents));
  const stale = Object.keys(documents).filter((path) => read(path) !== documents[path]);
  if (process.argv.includes('--check')) {
    if (surplus.length > 0) throw new Obstacle(`Of no use any more: ${surplus.join(', ')}. Run \`npm run docs\`.`);
    if (stale.length > 0) throw new Obstacle(`Stale: ${stale.join(', ')}. Run \`npm run docs\` and commit the result.`);
    return;
  }
  mkdirSync(join(root, 'docs/errors'), { recursive: true });
  for (const path of surplus) rmSync(join(root, path));
  for (const path of stale) writeFileSync(join(root, path), documents[path]);
  console.log(stale.length === 0 ? 'Everything is fresh.' : `Written: ${stale.join(', ')}`);
});

function read(path) {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** The catalogue of errors, a page for each code, as the service shows them. */
async function errorPages({ problems, problemAdvice, problemType }) {
  const codes = Object.keys(problems).sort();
  const pages = { 'docs/errors/README.md': await markdown(errorIndex(codes, problems)) };
  for (const code of codes) {
    const { status, title } = problems[code];
    const { when, remedy } = problemAdvice[code];
    const text = [
      `# ${code}`,
      `${title}: HTTP ${status}. The \`type\` of such a problem document is \`${problemType(code)}\`, where the service shows this page.`,
      `**When.** ${when}`,
      `**What to do.** ${remedy}`,
      '[All errors](README.md)',
    ];
    pages[`docs/errors/${code}.md`] = await markdown(text.join('\n\n'));
  }
  return pages;
}

function errorIndex(codes, problems) {
  const rows = codes.map(
    (code) => `| [\`${code}\`](${code}.md) | ${problems[code].status} | ${problems[code].title} |`,
  );
  const lead =
    'Every code that a problem document (RFC 9457) of Assent can carry. Programs decide by the code, which never changes its meaning.';
  return `# Errors\n\n${lead}\n\n| code | status | meaning |\n| --- | --- | --- |\n${rows.join('\n')}`;
}

/** As `npm run format` would write it. */
async function markdown(text) {
  const { format, resolveConfig } = await import('prettier');
  return format(text, { ...(await resolveConfig(join(root, 'docs/page.md'))), parser: 'markdown' });
}

/** The variables of the services and of `npm start`, from the schemas that parse them. */
async function configuration() {
  const apps = new Map();
  for (const app of (await readdir(join(root, 'apps'))).sort()) {
    const path = `apps/${app}/src/${app}.config.ts`;
    if (!existsSync(join(root, path))) continue;
    apps.set(app, (await load(path))[`${app.replace(/-(.)/g, (_, letter) => letter.toUpperCase())}Config`]);
  }
  const services = [...apps.keys()].filter((app) => app !== 'standalone');
  return markdown(`# Configuration

Everything is set by environment variables, parsed once when a process starts. A process that finds one missing or
wrong names all of them, with their meaning, and exits with code 1. An empty variable counts as absent.

Every variable can be read from a file: \`<NAME>_FILE=/run/secrets/name\` stands for the content of that file. Use it
for what is marked 🔒.

This page is generated from the schemas that parse the environment; \`npm run docs\` writes it.

## The services

${table(services, apps)}

## \`npm start\`

${table(['standalone'], apps)}
`);
}

function table(names, apps) {
  const variables = new Map();
  for (const app of names) {
    for (const [name, setting] of Object.entries(apps.get(app).shape)) {
      const known = variables.get(name) ?? { secret: isSecret(setting), meanings: new Set(), fallbacks: new Map() };
      known.meanings.add(meaningOf(setting));
      known.fallbacks.set(app, fallbackOf(setting));
      variables.set(name, known);
    }
  }
  const one = names.length === 1;
  const rows = [...variables].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, known]) => row(name, known, one, names));
  return `| variable | meaning | default |${one ? '' : ' read by |'}\n| --- | --- | --- |${one ? '' : ' --- |'}\n${rows.join('\n')}`;
}

function row(name, { secret, meanings, fallbacks }, one, all) {
  const values = new Set(fallbacks.values());
  const fallback =
    values.size === 1 ? [...values][0] : [...fallbacks].map(([app, value]) => `${value} (${app})`).join('<br>');
  const readers = fallbacks.size === all.length ? 'all' : [...fallbacks.keys()].join(', ');
  const cells = [`\`${name}\`${secret ? ' 🔒' : ''}`, [...meanings].join('<br>'), fallback, ...(one ? [] : [readers])];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function* layers(schema) {
  for (let layer = schema; layer !== undefined; layer = layer.def.innerType) yield layer;
}

function meaningOf(setting) {
  for (const layer of layers(setting)) if (layer.description) return layer.description;
  return '';
}

function isSecret(setting) {
  return [...layers(setting)].some((layer) => layer.meta()?.secret === true);
}

function fallbackOf(setting) {
  for (const layer of layers(setting)) {
    if (layer.def.type === 'default') {
      const value = layer.def.defaultValue;
      if (Array.isArray(value)) return value.length === 0 ? 'none' : `\`${value.join(',')}\``;
      // Where this clone lies is nobody else's business.
      return `\`${String(value).replace(`${process.cwd()}/`, '')}\``;
    }
    if (layer.def.type === 'optional') return '–';
  }
  return '**required**';
}

/** Replaces what stands between `<!-- kind: name -->` and `<!-- end -->`. */
function replaceBlocks(path, kind, blocks) {
  let text = read(path);
  for (const [name, block] of Object.entries(blocks)) {
    const place = new RegExp(`(<!-- ${kind}: ${name} -->\n)[\\s\\S]*?(<!-- end -->)`);
    if (!place.test(text)) throw new Obstacle(`${path} has no place for the ${kind} "${name}".`);
    text = text.replace(place, (_, start, end) => `${start}\n${block}\n\n${end}`);
  }
  return text;
}

function mermaid(picture) {
  return `\`\`\`mermaid\n${picture}\n\`\`\``;
}

/** Every metric of ours, as the sources declare it. */
async function metricsTable() {
  const rows = [];
  for (const folder of ['apps', 'libs']) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts') || /spec\.ts$/.test(entry.name)) continue;
      const text = readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'utf8');
      const declarations = text.matchAll(
        /(counter|gauge|histogram)\(\{\s*name: '(assent_\w+)',\s*help: '([^']+)',?(?:\s*labelNames: \[([^\]]*)\])?/g,
      );
      for (const [, type, name, help, labels = ''] of declarations) {
        rows.push(`| \`${name}\` | ${type} | ${help} | ${labels.replaceAll("'", '`')} |`);
      }
    }
  }
  return ['| metric | type | meaning | labels |', '| --- | --- | --- | --- |', ...[...new Set(rows)].sort()].join('\n');
}

/** Everything that the check of a token provider can find. */
function findingsTable(findings) {
  const rows = Object.entries(findings).map(
    ([code, { severity, title, remedy }]) => `| \`${code}\` | ${severity} | ${title}. | ${remedy} |`,
  );
  return ['| code | severity | what is wrong | what to do |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** Who may do what in the database; every table that docs/schema.sql has, and no other. */
function privilegesTable({ databaseServices, tablePrivileges }) {
  const tables = [...read('docs/schema.sql').matchAll(/^create table (\w+) \(/gm)].map(([, name]) => name);
  const known = Object.keys(tablePrivileges);
  const odd = [
    ...tables.filter((name) => !known.includes(name)),
    // TypeORM's own book is not described there.
    ...known.filter((name) => name !== 'migrations' && !tables.includes(name)),
  ];
  if (odd.length > 0) {
    throw new Obstacle(
      `libs/persistence/src/database-roles/privileges.ts and docs/schema.sql differ on: ${odd.join(', ')}.`,
    );
  }
  const short = (rights = '') =>
    ['select', 'insert', 'update', 'delete']
      .flatMap((verb) => {
        const found = new RegExp(`\\b${verb}\\b( \\([^)]*\\))?`).exec(rights);
        if (found === null) return [];
        const columns = found[1]?.replace(/\s+/g, ' ').trim().slice(1, -1).split(', ') ?? [];
        const shown = columns.length > 6 ? [`${columns.length} columns`] : columns.map((column) => `\`${column}\``);
        return [`${verb[0].toUpperCase()}${shown.length > 0 ? ` (${shown.join(', ')})` : ''}`];
      })
      .join(' ');
  const rows = known
    .sort()
    .map((name) => `| \`${name}\` | ${databaseServices.map((one) => short(tablePrivileges[name][one])).join(' | ')} |`);
  const head = ['table', ...databaseServices.map((one) => `\`${one}\``)];
  return [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...rows].join('\n');
}

/** Who may do what at the broker, as patterns of names. */
function brokerTable({ brokerServices, permissionsOf }) {
  const cell = (pattern) => `\`${pattern.replaceAll('|', '\\|')}\``;
  const rows = brokerServices.map((service) => {
    const { configure, write, read: reads } = permissionsOf(service);
    return `| \`${service}\` | ${[configure, write, reads].map(cell).join(' | ')} |`;
  });
  return ['| user | configure | write | read |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** Who imports whom, folder by folder, as dependency-cruiser sees it. */
async function importPicture() {
  const { cruise } = await import('dependency-cruiser');
  const { default: extractTSConfig } = await import('dependency-cruiser/config-utl/extract-ts-config');
  const { default: config } = await load('.dependency-cruiser.mjs');
  const { output } = await cruise(
    ['apps', 'libs'],
    {
      ...config.options,
      baseDir: root,
      exclude: { path: '\\.(spec|int-spec|e2e-spec|long-spec|contract)\\.ts$' },
    },
    config.options.enhancedResolveOptions,
    { tsConfig: extractTSConfig(join(root, 'tsconfig.json')) },
  );
  const folderOf = (path) => /^(apps|libs)\/([^/]+)\//.exec(path)?.[2];
  const imports = new Set();
  const folders = new Set();
  for (const { source, dependencies } of output.modules) {
    const from = folderOf(source);
    if (from === undefined) continue;
    folders.add(from);
    for (const { resolved } of dependencies) {
      const to = folderOf(resolved);
      if (to !== undefined && to !== from) imports.add(`${from} --> ${to}`);
    }
  }
  const ranks = [
    ['rank 4 · everything in one process', ['standalone']],
    ['rank 3 · use cases, they meet on the bus', ['rules-service', 'ciba-worker', 'poller', 'decision-service']],
    ['between · joins the adapters', ['assembly']],
    ['rank 2 · one outside thing each', ['persistence', 'messaging', 'ciba', 'runtime']],
    ['rank 1 · what crosses a wire', ['contracts']],
    ['rank 0 · the law', ['domain']],
    ['beside · knows the API only', ['cli', 'console']],
    ['beside · development only', ['sandbox']],
  ];
  const homeless = [...folders].filter((folder) => !ranks.some(([, members]) => members.includes(folder)));
  if (homeless.length > 0) throw new Obstacle(`${homeless.join(', ')}: in no rank of the picture.`);
  const lines = ['flowchart TB'];
  for (const [index, [title, members]] of ranks.entries()) {
    const present = members.filter((member) => folders.has(member));
    if (present.length > 0)
      lines.push(`  subgraph rank${index}["${title}"]`, ...present.map((m) => `    ${m}`), '  end');
  }
  return [...lines, ...[...imports].sort().map((line) => `  ${line}`)].join('\n');
}

/** The domain's table of legal moves. */
function statePicture(moves) {
  const lines = ['stateDiagram-v2', '  [*] --> requested'];
  for (const [from, targets] of Object.entries(moves)) {
    for (const to of targets) lines.push(`  ${from} --> ${to}`);
    if (targets.length === 0) lines.push(`  ${from} --> [*]`);
  }
  return lines.join('\n');
}
