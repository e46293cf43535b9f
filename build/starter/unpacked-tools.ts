/**
 * Runs programs out of unpacked Debian packages, on the libraries unpacked beside them, so that nothing needs to be installed and the
 * build does not depend on what is.
 */

import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type CommandOptions, runCommand } from './commands.ts';

/** The first of the paths that is there under the root (distributions differ in where they put things). */
export async function firstExisting(root: string, paths: readonly string[]): Promise<string> {
  const found = paths.map((path) => join(root, path)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`None of the packages holds ${paths.join(' or ')}.`);
  return found;
}

export class UnpackedTools {
  readonly root: string;
  /** The dynamic loader. */
  readonly loader: string;
  readonly #libraryPath: string;

  constructor(root: string, loader: string) {
    this.root = root;
    this.loader = loader;
    this.#libraryPath = ['lib', 'usr/lib'].flatMap((folder) => [join(root, folder, 'x86_64-linux-gnu'), join(root, folder)]).join(':');
  }

  /** Takes a folder into which packages were unpacked. */
  static async open(root: string): Promise<UnpackedTools> {
    const loader = await firstExisting(root, [
      'usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
      'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
    ]);
    return new UnpackedTools(root, await realpath(loader));
  }

  /** Runs an unpacked program (a path below the root, or an absolute one); gives its standard output. */
  run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const path = program.startsWith('/') ? program : join(this.root, program);
    return runCommand(this.loader, ['--library-path', this.#libraryPath, path, ...args], options);
  }

  /** The shared libraries of an unpacked program: name as linked → file. */
  async librariesOf(program: string): Promise<Map<string, string>> {
    const libraries = new Map<string, string>();
    const listing = await runCommand(this.loader, ['--library-path', this.#libraryPath, '--list', program]);
    for (const line of listing.split('\n')) {
      const [, name, file] = line.match(/^\s*(\S+) => (\S+)/) ?? [];
      if (name === undefined || file === undefined) continue;
      if (!file.startsWith(this.root)) throw new Error(`${basename(program)} needs ${name}, which none of the packages holds.`);
      libraries.set(basename(name), file);
    }
    return libraries;
  }
}
