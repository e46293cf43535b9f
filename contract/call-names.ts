/**
 * The names of all calls, without their schemas: the preload refuses an unknown name early and stays small.
 *
 * INVARIANT: exactly the names of `calls` and `shellCalls` (`call-names.test.ts`; a name too many does not compile).
 */
import type { CallName } from './calls.ts';
import type { ShellCallName } from './shell.ts';

export const callNames = [
  'engine.info',
  'engine.stop',
  'host.report',
  'image.list',
  'image.inspect',
  'image.import',
  'image.delete',
  'download.list',
  'download.checkNetwork',
  'download.start',
  'download.discard',
  'guest.plan',
  'guest.create',
  'guest.list',
  'guest.show',
  'guest.start',
  'guest.pause',
  'guest.resume',
  'guest.shutdown',
  'guest.forceOff',
  'guest.reset',
  'guest.suspend',
  'guest.delete',
  'guest.restore',
  'guest.purge',
  'guest.rename',
  'guest.annotate',
  'guest.screenshot',
  'guest.exec',
  'guest.type',
  'guest.sendKeys',
  'guest.samples',
  'guest.consoles',
  'guest.arguments',
  'job.list',
  'job.show',
  'job.cancel',
  'event.list',
  'audit.list',
  'settings.get',
  'settings.set',
] as const satisfies readonly CallName[];

export const shellCallNames = [
  'shell.chooseMedium',
  'shell.savePng',
  'shell.copyPng',
  'shell.copyText',
  'shell.readText',
  'shell.showFile',
  'shell.detachConsole',
  'shell.attachConsole',
  'shell.setFullScreen',
  'shell.setKeyboardGrab',
  'shell.quit',
  'shell.restartEngine',
  'shell.openLogs',
] as const satisfies readonly ShellCallName[];
