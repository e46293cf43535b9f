/** The sources that the checks look at, each read and parsed once. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { parseSync } from 'vite';

export interface Import {
  /** As written: `../../contract/errors.ts`, `node:fs`, `react-dom/client`. */
  specifier: string;
  /** For a relative one, the file it names, relative to the project's root. */
  target: string | null;
  /** Only types are taken, so that nothing of it is there at run time. */
  isType: boolean;
  line: number;
}

export interface SourceFile {
  /** Relative to the project's root, with slashes. */
  path: string;
  text: string;
  imports: Import[];
  /** Names of the values it exports. */
  exports: string[];
  /** Nothing but exports of what other files hold. */
  isBarrel: boolean;
}

/** Every TypeScript file that git knows or would add. */
export function readSourceFiles(root: string): SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.ts', '*.tsx'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((path) => path !== '' && !path.endsWith('.d.ts') && existsSync(join(root, path)))
    .map((path) => parseSourceFile(path, readFileSync(join(root, path), 'utf8')));
}

/** Reads the imports of one file; the text need not be on disk. */
export function parseSourceFile(path: string, text: string): SourceFile {
  const { module, program } = parseSync(path, text);
  const found: { specifier: string; isType: boolean; at: number }[] = [];
  for (const { moduleRequest, entries, start } of module.staticImports)
    found.push({ specifier: moduleRequest.value, isType: entries.length > 0 && entries.every((entry) => entry.isType), at: start });
  for (const { entries, start } of module.staticExports) {
    const requests = entries.filter((entry) => entry.moduleRequest !== null);
    const specifier = requests[0]?.moduleRequest?.value;
    if (specifier !== undefined) found.push({ specifier, isType: requests.every((entry) => entry.isType), at: start });
  }
  for (const { moduleRequest, start } of module.dynamicImports) {
    const written = text.slice(moduleRequest.start, moduleRequest.end);
    if (/^['"`][^$]*['"`]$/.test(written)) found.push({ specifier: written.slice(1, -1), isType: false, at: start });
  }
  const imports = found.map(({ specifier, isType, at }) => ({
    specifier,
    target: specifier.startsWith('.') ? normalize(join(dirname(path), specifier.replace(/[?#].*$/, ''))) : null,
    isType,
    line: text.slice(0, at).split('\n').length,
  }));
  const exports = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap((entry) => (entry.isType || !entry.exportName.name ? [] : [entry.exportName.name])),
  );
  const isReexport = (statement: { type: string; source?: unknown }) =>
    statement.type === 'ExportAllDeclaration' || (statement.type === 'ExportNamedDeclaration' && Boolean(statement.source));
  const isBarrel = program.body.length > 0 && program.body.every((statement) => isReexport(statement));
  return { path, text, imports, exports, isBarrel };
}

/** Tests, fixtures and what only tests use. */
export function isTestFile(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || path.startsWith('tests/') || path.startsWith('bench/');
}
