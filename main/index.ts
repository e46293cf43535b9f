/** Electron's entry: decides where the data are and which of its two ways the app goes, and hands over. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { app } from 'electron';
import { dataRootFromEnvironment } from './client/start-engine.ts';
import { openAppLog } from './shell/app-log.ts';
import { declareAppScheme } from './shell/app-protocol.ts';
import { openingFromArguments } from './shell/deep-link.ts';
import { runDemo } from './shell/demo/demo.ts';
import { createGuesthouseApp } from './shell/guesthouse-app.ts';
import { parseSecondStart, parseStartWords, type SecondStart } from './shell/start-words.ts';

const words = process.argv.slice(1);
const { demo } = parseStartWords(words, resolve('.'));
const throwaway = demo && !process.env.GUESTHOUSE_HOME ? mkdtempSync(join(tmpdir(), 'gh-demo-')) : null;
if (throwaway) process.env.GUESTHOUSE_HOME = throwaway;

const root = dataRootFromEnvironment();
const ownFolder = join(root.home, 'window');
mkdirSync(ownFolder, { recursive: true, mode: 0o700 });
app.setPath('userData', ownFolder);
declareAppScheme();

const opening = openingFromArguments(words, process.cwd());
const here: SecondStart = { words, workingDirectory: process.cwd() };

if (!app.requestSingleInstanceLock(here)) {
  console.log('Guesthouse is already open; its window comes to the front.');
  app.exit(demo ? 1 : 0);
} else {
  const log = openAppLog(join(root.logs, 'app.log'));
  const guesthouse = createGuesthouseApp({ root, ownFolder, log });
  app.on('second-instance', (_event, _words, _directory, other) => {
    const start = parseSecondStart(other);
    guesthouse.open(start && openingFromArguments(start.words, start.workingDirectory));
  });
  void app.whenReady().then(() => {
    guesthouse.open(opening);
    if (demo) void runDemo(guesthouse, { out: resolve(demo.out), throwawayHome: throwaway });
  });
}
