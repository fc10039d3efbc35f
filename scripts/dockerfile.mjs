/** Reads a Dockerfile and its .dockerignore: as much of them as ours use. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The stages in order: `{ name, from, steps: [{ instruction, text }] }`. */
export function stagesOf(text) {
  const lines = text
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const variables = {};
  const stages = [];
  for (const line of lines) {
    const [, instruction, rest] = /^(\w+)\s+(.*)$/.exec(line);
    if (instruction === 'ARG') {
      const [name, value] = rest.split('=');
      variables[name] = value;
    } else if (instruction === 'FROM') {
      const [, from, name] = /^(\S+) AS (\S+)$/.exec(
        rest.replace(/\$\{(\w+)\}/g, (_, variable) => variables[variable]),
      );
      stages.push({ name, from, steps: [] });
    } else {
      stages.at(-1).steps.push({ instruction, text: rest });
    }
  }
  return stages;
}

/** The parts of a COPY: where from (a stage, or null for the context), what, and where to. */
export function copyOf(text) {
  const words = text.split(/\s+/);
  const from = words[0].startsWith('--from=') ? words.shift().slice('--from='.length) : null;
  return { from, sources: words.slice(0, -1), target: words.at(-1) };
}

/** The files of the build context: everything in the root that .dockerignore leaves. */
export function contextOf(root) {
  const patterns = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keep: line.startsWith('!'), matches: matcher(line.replace(/^!/, '')) }));
  const ignored = (path) => patterns.reduce((out, { keep, matches }) => (matches(path) ? !keep : out), false);
  const tops = readdirSync(root, { withFileTypes: true }).filter((entry) => !ignored(entry.name));
  return tops.flatMap((entry) => {
    if (entry.isFile()) return [entry.name];
    return readdirSync(join(root, entry.name), { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => relative(root, join(file.parentPath ?? file.path, file.name)))
      .filter((path) => !ignored(path));
  });
}

// A pattern matches a path and everything below it.
function matcher(pattern) {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**/', '\0')
    .replaceAll('*', '[^/]*')
    .replaceAll('\0', '(?:.*/)?');
  const expression = new RegExp(`^${source}(/|$)`);
  return (path) => expression.test(path);
}
