/** How files are named and how long they may be. */
import { basename, extname } from 'node:path';
import type { SourceFile } from './source-files.ts';

const longestFile = 600;
/** Names that say nothing about what is inside. */
const emptyNames = /^(utils?|helpers?|common|misc|managers?|shared|stuff|lib)$/;
/** Written in halves, so that this file does not break its own rule. */
const leftovers = new RegExp(
  ['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', '@ts-' + 'ignore', '@ts-' + 'nocheck'].map((word) => `${word}\\b`).join('|'),
);

/** Every broken rule as `file: what, and what instead`. */
export function findFileProblems(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [...nameProblems(file), ...contentProblems(file)]);
}

function nameProblems({ path, exports }: SourceFile): string[] {
  const extension = extname(path);
  const name = basename(path, extension).replace(/\.(test|config|worker)$/, '');
  const problems: string[] = [];
  const empty = path
    .split('/')
    .concat(name)
    .find((part) => emptyNames.test(part) || /-(utils?|helpers?|manager)$/.test(part));
  if (empty !== undefined) problems.push(`${path}: “${empty}” does not say what is inside. Name it after what it does.`);
  // A test is named after what it tests, which may be a component.
  const isEntry = name === 'main' || path.includes('.test.');
  const onlyExport = exports.length === 1 ? exports[0] : undefined;
  const isKebab = /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name);
  if (extension === '.ts' && !isEntry && !isKebab) problems.push(`${path}: a .ts file is named in kebab-case.`);
  if (extension === '.tsx' && !isEntry) {
    const isOneComponent = onlyExport !== undefined && /^[A-Z][a-z]/.test(onlyExport);
    if (isOneComponent && !onlyExport.includes(name))
      problems.push(`${path}: holds the component ${onlyExport}, so it is named ${onlyExport}.tsx.`);
    else if (!isKebab && !/^[A-Z][A-Za-z0-9]*$/.test(name))
      problems.push(`${path}: a .tsx file is named like its component, or in kebab-case if it holds several.`);
  }
  return problems;
}

function contentProblems({ path, text, isBarrel }: SourceFile): string[] {
  const problems: string[] = [];
  const lines = text.split('\n');
  if (lines.length > longestFile)
    problems.push(`${path}: has ${lines.length} lines; ${longestFile} is the most. Split it by what its parts are for.`);
  if (isBarrel) problems.push(`${path}: only hands on what other files export. Import those files themselves.`);
  const leftover = lines.findIndex((line) => leftovers.test(line));
  if (leftover >= 0)
    problems.push(
      `${path}:${leftover + 1}: “${leftovers.exec(lines[leftover] ?? '')?.[0]}” is unfinished work. Finish it, or take it out.`,
    );
  return problems;
}
