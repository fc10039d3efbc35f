/**
 * Runs the steps of the Dockerfile without a container engine, each stage in an empty folder: every COPY from what
 * .dockerignore leaves, every RUN that is ours. Then starts each program of docker-compose.yml from the result, to see
 * that it gets as far as reading its configuration.
 */
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { parse } from 'yaml';
import { command } from './command.mjs';
import { contextOf, copyOf, stagesOf } from './dockerfile.mjs';
import { root } from './install.mjs';
import { Obstacle, run, step } from './progress.mjs';

const read = (path) => readFile(join(root, path), 'utf8');

await run(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assent-image-'));
  try {
    for (const stage of stagesOf(await read('Dockerfile'))) await rehearse(stage, folder);
    await startEverything(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function rehearse(stage, folder) {
  const here = join(folder, stage.name);
  await mkdir(here, { recursive: true });
  // A stage that starts from an image of others starts empty.
  if (!stage.from.includes(':')) await cp(join(folder, stage.from), here, { recursive: true });
  const environment = {};
  for (const { instruction, text } of stage.steps) {
    if (instruction === 'COPY') await copy(text, here, folder);
    else if (instruction === 'RUN' && /^(npm|node) /.test(text)) await runStep(stage.name, text, here, environment);
    else if (instruction === 'RUN') console.log(`– ${stage.name}: RUN ${text} (changes the image's system)`);
  }
}

async function copy(text, here, folder) {
  const { from, sources, target } = copyOf(text);
  const inside = (path) => join(here, relative('/app', join('/app', path)));
  for (const source of sources) {
    if (from !== null) {
      await cp(join(folder, from, relative('/app', source)), inside(target), { recursive: true });
      continue;
    }
    const files = contextOf(root).filter((path) => path === source || path.startsWith(`${source}/`));
    if (files.length === 0) throw new Obstacle(`COPY ${text}: the build context has no ${source}.`);
    for (const file of files) {
      // Of a folder COPY takes the content, of a file its name.
      const name = file === source ? (target.endsWith('/') ? join(target, file.split('/').at(-1)) : target) : null;
      const to = inside(name ?? join(target, relative(source, file)));
      await mkdir(dirname(to), { recursive: true });
      await cp(join(root, file), to);
    }
  }
}

async function runStep(stage, text, here, environment) {
  await step(`${stage}: RUN ${text}`, async () => {
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...npmSettings(), ...environment };
    const { code, output } = await command('/bin/sh', ['-c', text], { cwd: here, env });
    if (code !== 0) throw new Obstacle(`RUN ${text} ended with ${code}:\n${output}`);
  });
}

// Where packages come from is this machine's business.
function npmSettings() {
  const ours = /^npm_config_(registry|cache|cafile|.*proxy)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => ours.test(name)));
}

async function startEverything(folder) {
  const { services } = parse(await read('docker-compose.yml'), { merge: true });
  for (const [name, { command: words, build }] of Object.entries(services)) {
    if (build === undefined) continue;
    await step(`${name}: ${words.join(' ')}`, async (say) => {
      const options = { cwd: join(folder, build.target), env: { PATH: process.env.PATH, PORT: '0' }, limitMs: 5_000 };
      const { output } = await command(words[0], words.slice(1), options);
      if (/ERR_MODULE_NOT_FOUND|Cannot find (module|package)|SyntaxError/.test(output)) throw new Obstacle(output);
      say(output.trim().split('\n')[0].slice(0, 100));
    });
  }
}
