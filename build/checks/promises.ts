/** Invariants and threats name the test that holds them; this says which of those tests do not exist. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface Promising {
  path: string;
  text: string;
}

/** Every source and document that git knows or would add. */
export function readPromisingFiles(root: string): Promising[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.ts', '*.tsx', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}

/**
 * Every broken promise as `file:line: what`. A test is named by its path from the root, or by a path from the folder of the file that
 * names it. Tests are not looked at: they name tests that shall not exist.
 */
export function findBrokenPromises(files: readonly Promising[]): string[] {
  const known = new Set(files.map(({ path }) => path));
  return files
    .filter(({ path }) => !/\.test\.tsx?$/.test(path))
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) =>
        namedTests(line)
          .filter((named) => !known.has(normalize(named)) && !known.has(normalize(join(dirname(path), named))))
          .map((named) => `${path}:${index + 1}: names ${named} as its check, which does not exist.`),
      ),
    );
}

/** Documents name tests in backticks or links; sources name them in comments, on lines of their own. */
function namedTests(line: string): string[] {
  if (!/^\s*(\*|\/\/|\/\*)|`|\]\(/.test(line)) return [];
  return line.match(/(?<![\w/.*-])[\w./-]+\.test\.tsx?\b/g) ?? [];
}
