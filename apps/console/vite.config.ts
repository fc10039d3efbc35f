import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const compressible = /\.(js|css|svg)$/;

/** Puts `.br` and `.gz` beside what is built, so that no time is spent on it when it is served. */
const compressed = (): Plugin => {
  let folder = '';
  return {
    name: 'compressed',
    apply: 'build',
    configResolved: ({ root, build }) => void (folder = resolve(root, build.outDir)),
    closeBundle: async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile() && compressible.test(entry.name));
      await Promise.all(
        files.map(async ({ parentPath, name }) => {
          const file = join(parentPath, name);
          const content = await readFile(file);
          const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
          await writeFile(`${file}.br`, await promisify(brotliCompress)(content, { params }));
          await writeFile(`${file}.gz`, await promisify(gzip)(content, { level: 9 }));
        }),
      );
    },
  };
};

/** `scripts/build.mjs` says where the result goes; rules-service serves it at `/console` and puts in the nonce. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  clearScreen: false,
  plugins: [compressed()],
  // The sources of libs/ under their own names, as everywhere in this repository.
  resolve: { conditions: ['assent-src', 'module', 'browser', 'development|production'] },
  html: { cspNonce: 'ASSENT_CSP_NONCE' },
  build: {
    target: 'es2022',
    // Small files stay files: a policy without `data:` in it is easier to trust.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    emptyOutDir: true,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      input: [join(import.meta.dirname, 'index.html'), join(import.meta.dirname, 'preview-frame.html')],
      // Nothing in libs/ does anything by being imported: what is not used is left out.
      treeshake: { moduleSideEffects: (id) => !id.includes('/libs/') },
    },
  },
});
