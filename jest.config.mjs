// `npm run test:long` sets it: suites that take minutes have a command of their own.
const suites = process.env.ASSENT_LONG_TESTS === undefined ? '{spec,int-spec,e2e-spec}' : 'long-spec';

/** Native ES modules through @swc/jest; `#lib/*` and `#app/*` resolve to the sources. */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['assent-src', 'node', 'node-addons'] },
  testMatch: [`<rootDir>/{apps,bench,libs,test}/**/*.${suites}.ts`],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.assent'],
  extensionsToTreatAsEsm: ['.ts'],
  resolver: '<rootDir>/jest.resolver.cjs',
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  testSequencer: '<rootDir>/test/support/sequencer.mjs',
  reporters: ['default', '<rootDir>/test/support/summary-reporter.mjs'],
  maxWorkers: 2,
  // A fresh process costs seconds of compilation before its first test: only one that has grown large is replaced.
  workerIdleMemoryLimit: '2GB',
  // What hangs is ended; how long something takes is never judged.
  testTimeout: 60_000,
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
      },
    ],
  },
};
