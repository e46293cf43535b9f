/**
 * Who may import whom. The compiler enforces a part of it, through one project per environment; this enforces the rest, and says which rule
 * was broken and what it is for.
 */
import { builtinModules } from 'node:module';
import { isTestFile, type SourceFile } from './source-files.ts';

interface Layer {
  /** Folders and files, relative to the root. The longest match decides which layer a file belongs to. */
  path: string;
  /** Layers it may import besides itself. */
  may: string[];
  /** What kind of package it may import. */
  node: boolean;
  electron: boolean;
  why: string;
}

const forProcesses = 'Processes share nothing but the contract, so that each can be restarted, replaced and tested alone.';
const forContract = 'The contract runs in every process, so it may need none of them.';
const forRenderer = 'The window is sandboxed: it has neither Node nor Electron, only what the preload hands it.';
const forEngine = 'The engine is plain Node, so that it also runs without a window and on a server.';
const forUi = 'Primitives know nothing of guests, so that every feature can use them.';
const forFeatures =
  'Features never know of each other, so that each can be changed or removed alone. What two need belongs in renderer/ui, renderer/state or the contract.';

const layers: readonly Layer[] = [
  { path: 'contract', may: [], node: false, electron: false, why: forContract },
  { path: 'preload', may: ['contract'], node: false, electron: true, why: forProcesses },
  { path: 'renderer', may: ['contract'], node: false, electron: false, why: forRenderer },
  { path: 'renderer/ui', may: [], node: false, electron: false, why: forUi },
  { path: 'renderer/features', may: ['contract', 'renderer/ui', 'renderer'], node: false, electron: false, why: forRenderer },
  { path: 'main/engine', may: ['contract'], node: true, electron: false, why: forEngine },
  { path: 'main/client', may: ['contract'], node: true, electron: false, why: forProcesses },
  { path: 'main/cli', may: ['contract', 'main/client'], node: true, electron: false, why: forProcesses },
  { path: 'main/consoles', may: ['contract', 'main/client'], node: true, electron: false, why: forProcesses },
  { path: 'main/engine-host', may: ['contract', 'main/client', 'main/consoles'], node: true, electron: false, why: forProcesses },
  {
    path: 'main/shell',
    may: ['contract', 'main/client', 'main/consoles', 'main/engine-host'],
    node: true,
    electron: true,
    why: forProcesses,
  },
  {
    path: 'main/index.ts',
    may: ['contract', 'main/client', 'main/shell', 'main/consoles', 'main/engine-host'],
    node: true,
    electron: true,
    why: forProcesses,
  },
];

/** The one file outside the shell that may know Electron. */
const electronSeam = 'main/consoles/electron-ports.ts';
/** Folders of the renderer that a feature may not reach into. */
const notForFeatures = 'renderer/app';
const database = 'better-sqlite3';

/** Every broken rule as `file:line: what, and why not`. */
export function findLayerProblems(files: readonly SourceFile[]): string[] {
  const product = files.filter((file) => layerOf(file.path) !== null);
  return [...product.flatMap(importProblems), ...cycleProblems(product)];
}

function layerOf(path: string): Layer | null {
  const within = layers.filter((layer) => path === layer.path || path.startsWith(`${layer.path}/`));
  return within.reduce<Layer | null>((best, layer) => (best && best.path.length > layer.path.length ? best : layer), null);
}

function importProblems(file: SourceFile): string[] {
  const layer = layerOf(file.path);
  if (!layer) return [];
  return file.imports.flatMap(({ specifier, target, line }) => {
    const reason = target === null ? packageProblem(file.path, layer, specifier) : fileProblem(file.path, layer, target);
    return reason === null ? [] : [`${file.path}:${line}: ${reason}`];
  });
}

function packageProblem(path: string, layer: Layer, specifier: string): string | null {
  if (isTestFile(path)) return null;
  const name = specifier.replace(/^node:/, '');
  const isNode = specifier.startsWith('node:') || builtinModules.includes(name);
  if (isNode && !layer.node) return `imports ${specifier}, but ${layer.path} has no Node. ${layer.why}`;
  if (/^electron($|\/)/.test(specifier) && !layer.electron && path !== electronSeam)
    return `imports electron, but ${layer.path} never does. ${layer.why}`;
  if (specifier === database && !mayTouchDatabase(path))
    return `imports ${database}, but only main/engine/store, main/engine/jobs and each folder's store.ts touch the database, so that what is stored can be read in one place.`;
  return null;
}

function mayTouchDatabase(path: string): boolean {
  return /^main\/engine\/(store|jobs)\//.test(path) || /^main\/engine\/.*\/store\.ts$/.test(path);
}

function fileProblem(path: string, layer: Layer, target: string): string | null {
  const to = layerOf(target);
  if (to === null) {
    if (isTestFile(path)) return null;
    if (target === 'package.json' || target.startsWith('assets/')) return null;
    return `imports ${target}, which is no part of the app. What the app needs at run time belongs in assets/, contract/, main/, preload/ or renderer/.`;
  }
  const feature = featureOf(path);
  if (feature !== null && featureOf(target) !== null && featureOf(target) !== feature)
    return `imports ${target} from the feature ${feature}. ${forFeatures}`;
  if (feature !== null && target.startsWith(`${notForFeatures}/`))
    return `imports ${target}, but features never import renderer/app, which is made of them.`;
  if (/^main\/engine\/(drivers|qmp)\//.test(path) && target.startsWith('main/engine/guests/') && !isTestFile(path))
    return `imports ${target}, but drivers and qmp never import guests: a guest is run by any driver, and a driver knows no guest.`;
  if (to === layer || layer.may.includes(to.path)) return null;
  // What answers calls is tested by making them.
  if (isTestFile(path) && to.path === 'main/client') return null;
  if (layer.path === 'renderer' && to.path.startsWith('renderer/')) return null;
  return `imports ${target}, but ${layer.path} may import ${layer.may.length === 0 ? 'only itself' : `only itself, ${layer.may.join(', ')}`}. ${layer.why}`;
}

function featureOf(path: string): string | null {
  return /^renderer\/features\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/** Tarjan's strongly connected components over the imports that exist at run time. */
function cycleProblems(files: readonly SourceFile[]): string[] {
  const edges = new Map(
    files.map((file) => [file.path, file.imports.flatMap(({ target, isType }) => (target === null || isType ? [] : [target]))]),
  );
  const order = new Map<string, { index: number; low: number }>();
  const stack: string[] = [];
  const problems: string[] = [];
  const visit = (path: string): { index: number; low: number } => {
    const node = { index: order.size, low: order.size };
    order.set(path, node);
    stack.push(path);
    for (const target of edges.get(path) ?? []) {
      if (!edges.has(target)) continue;
      const known = order.get(target);
      if (!known) node.low = Math.min(node.low, visit(target).low);
      else if (stack.includes(target)) node.low = Math.min(node.low, known.index);
    }
    if (node.low === node.index) {
      const component = stack.splice(stack.indexOf(path));
      const importsItself = edges.get(path)?.includes(path) ?? false;
      if (component.length > 1 || importsItself)
        problems.push(`${component.sort().join(' ↔ ')}: import each other in a circle, so that none can be understood or loaded alone.`);
    }
    return node;
  };
  for (const path of edges.keys()) if (!order.has(path)) visit(path);
  return problems;
}
