/** What the event feed says of a guest, in words. Pure. */

import type { DriverEvent } from '../drivers/driver.ts';
import type { NewFeedEvent } from '../feed/feed.ts';

export type Words = Pick<NewFeedEvent, 'severity' | 'kind' | 'text'>;

const info = (kind: string, text: string): Words => ({ severity: 'info', kind, text });
const warning = (kind: string, text: string): Words => ({ severity: 'warning', kind, text });
const problem = (kind: string, text: string): Words => ({ severity: 'problem', kind, text });

export const words = {
  started: (name: string, emulated: boolean) => info('guest.started', `${name} was started${emulated ? ' (emulated, slow)' : ''}.`),
  wentOn: (name: string) => info('guest.resumedFromDisk', `${name} went on from where it was suspended.`),
  startFailed: (why: string) => problem('guest.startFailed', why),
  stopped: (name: string) => info('guest.stopped', `${name} is off.`),
  installed: (name: string) => info('guest.installed', `${name} has installed its system.`),
  suspended: (name: string) => info('guest.suspended', `${name} was suspended to disk.`),
  suspendUndone: (name: string) =>
    warning('guest.suspendUndone', `${name} was not suspended, because the engine ended meanwhile. It goes on.`),
  stateDiscarded: (name: string) => info('guest.stateDiscarded', `The suspended state of ${name} was discarded.`),
  stateLost: (name: string) => problem('guest.stateLost', `The suspended state of ${name} is gone, so it starts anew.`),
  crashed: (text: string) => problem('guest.crashed', text),
  unanswered: (name: string, seconds: number) =>
    warning('guest.shutdownUnanswered', `${name} was asked to shut down and has not done so within ${seconds} s.`),
  adopted: (name: string) => info('engine.adopted', `${name} kept running while no engine was there, and was taken over.`),
  trashed: (name: string) => info('guest.trashed', `${name} was moved to the trash.`),
  restored: (name: string) => info('guest.restored', `${name} was brought back from the trash.`),
  purged: (name: string) => info('guest.purged', `${name} was deleted for good.`),
  madeTemplate: (name: string) => info('guest.madeTemplate', `${name} is a template now.`),
  madeGuest: (name: string) => info('guest.madeGuest', `${name} is no template any more.`),
  disposed: (name: string) => info('guest.disposed', `${name} was disposable and is gone.`),
  kept: (name: string) => info('guest.kept', `${name} was disposable and is kept.`),
  renamed: (was: string, name: string) => info('guest.renamed', `${was} is now called ${name}.`),
};

/** What a driver's event is worth telling, or null when the guest's state says it all. */
export function wordsOf(name: string, event: DriverEvent): Words | null {
  switch (event.kind) {
    case 'paused':
      switch (event.reason.kind) {
        case 'disk-full':
          return problem('guest.diskFull', `${name} stands still. ${event.reason.text}`);
        case 'io-error':
          return problem('guest.ioError', `${name} stands still. ${event.reason.text}`);
        case 'watchdog':
          return problem('guest.watchdog', `${name} stands still. ${event.reason.text}`);
        case 'internal-error':
          return problem('guest.internalError', `${name} stands still. ${event.reason.text}`);
        default:
          return null;
      }
    case 'panicked':
      return problem('guest.panicked', `${name}: ${event.text}`);
    case 'watchdog':
      return event.action === 'pause'
        ? null
        : problem('guest.watchdog', `The watchdog of ${name} ran out (what follows: ${event.action}).`);
    case 'resumed':
      return event.roomAgain ? info('guest.resumed', `${name} goes on, since its disk has room again.`) : null;
    case 'reset':
      return event.byGuest ? info('guest.rebooted', `${name} restarted.`) : null;
    case 'tray':
      return event.open ? info('guest.ejected', `${name} ejected the CD of ${event.deviceId}.`) : null;
    default:
      return null;
  }
}
