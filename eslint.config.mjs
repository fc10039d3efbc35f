import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/**', '**/*.mjs', '**/*.cjs', '.assent/**', 'coverage/**'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/require-await': 'off',
      // The fix of this rule would erase the class imports that Nest's injection needs at run time.
      '@typescript-eslint/consistent-type-imports': 'off',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Configuration is parsed in main.ts and passed on.' },
      ],
    },
  },
  {
    // Programs: each reads its own environment.
    files: [
      'apps/*/main.ts',
      'bench/**',
      'test/**',
      '**/*.int-spec.ts',
      '**/*.long-spec.ts',
      'libs/persistence/src/migrate.ts',
      'libs/**/create-*.ts',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
);
