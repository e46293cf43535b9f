import { expect, test } from 'vitest';
import { Failure } from '../../contract/errors.ts';
import type { Guest, GuestStatus } from '../../contract/guest-state.ts';
import { type GuestId, guestId } from '../../contract/ids.ts';
import type { Settings } from '../../contract/settings.ts';
import { Quitting } from './quitting.ts';

function guestNamed(name: string, status: GuestStatus = 'running'): Guest {
  return { id: guestId.parse(`g${name.padEnd(9, '0')}`), spec: { name }, state: { status } } as unknown as Guest;
}

function scene(onQuit: Settings['onQuit'], guests: Guest[], failing: string | null = null) {
  const said: string[] = [];
  const world = { running: guests };
  const act = (verb: string) => (guest: GuestId) => {
    said.push(`${verb} ${guest.replace(/0+$/, '')}`);
    return failing === null ? Promise.resolve() : Promise.reject(new Failure('guest/denied', failing));
  };
  const quitting = new Quitting({
    onQuit: () => onQuit,
    running: () => world.running,
    ask: (names) => said.push(`ask ${names.join()}`),
    tell: (progress) =>
      said.push(progress ? `wait ${progress.waitingFor.join()}${progress.failed ? `: ${progress.failed}` : ''}` : 'called off'),
    suspend: act('suspend'),
    resume: act('resume'),
    shutdown: act('shutdown'),
    remember: async (answer) => said.push(`remember ${answer}`),
    leave: () => said.push('leave'),
  });
  const end = (...names: string[]) => {
    world.running = world.running.filter(({ spec }) => !names.includes(spec.name));
    quitting.guestsChanged();
  };
  return { quitting, said, end, world };
}

test('with no guest running the app leaves at once', () => {
  const { quitting, said } = scene('ask', []);
  quitting.request();
  expect(said).toEqual(['leave']);
});

test('guests keep running when that is the setting', () => {
  const { quitting, said } = scene('keep-running', [guestNamed('a')]);
  quitting.request();
  expect(said).toEqual(['leave']);
});

test('the user is asked, and a cancelled question leaves everything as it was', async () => {
  const { quitting, said } = scene('ask', [guestNamed('a'), guestNamed('b')]);
  quitting.request();
  await quitting.answer({ guests: 'cancel', remember: true });
  quitting.request();
  expect(said).toEqual(['ask a,b', 'ask a,b']);
});

test('the app leaves when the last guest is off, and says meanwhile for whom it waits', async () => {
  const { quitting, said, end } = scene('ask', [guestNamed('a'), guestNamed('b')]);
  quitting.request();
  await quitting.answer({ guests: 'shutdown', remember: true });
  end('a');
  expect(said.at(-1)).toBe('wait b');
  end('b');
  expect(said).toEqual(['ask a,b', 'remember shutdown', 'wait a,b', 'shutdown ga', 'shutdown gb', 'wait a,b', 'wait b', 'leave']);
});

test('a second wish to quit while guests shut down changes nothing', async () => {
  const { quitting, said } = scene('shutdown', [guestNamed('a')]);
  quitting.request();
  await Promise.resolve();
  quitting.request();
  expect(said.filter((line) => line === 'shutdown ga')).toHaveLength(1);
});

test('waiting can be called off, after which guests that end do not end the app', async () => {
  const { quitting, said, end } = scene('ask', [guestNamed('a')]);
  await quitting.answer({ guests: 'suspend', remember: false });
  await quitting.answer({ guests: 'cancel', remember: false });
  end('a');
  expect(said).toEqual(['wait a', 'suspend ga', 'wait a', 'called off']);
});

test('what keeps a guest from ending is said, and the app stays', async () => {
  const { quitting, said } = scene('ask', [guestNamed('a')], '“a” cannot be suspended.');
  await quitting.answer({ guests: 'suspend', remember: false });
  expect(said.at(-1)).toBe('wait a: “a” cannot be suspended.');
  expect(quitting.isLeaving).toBe(false);
});

test('a guest that does not answer is named with what to do', async () => {
  const silent = guestNamed('a', 'stopping');
  const { quitting, said, world } = scene('ask', [silent]);
  await quitting.answer({ guests: 'shutdown', remember: false });
  world.running = [{ ...silent, state: { ...silent.state, shutdown: { askedAt: '', by: 'acpi', unanswered: true } } }];
  quitting.guestsChanged();
  expect(said.at(-1)).toContain('a did not shut down in time.');
});

test('a guest that is already shutting down is not asked again, and one that stands still is resumed first', async () => {
  const { quitting, said } = scene('ask', [guestNamed('a', 'stopping'), guestNamed('b', 'paused')]);
  await quitting.answer({ guests: 'shutdown', remember: false });
  expect(said).not.toContain('shutdown ga');
  expect(said).toContain('shutdown gb');
});

test('when the session ends nobody is asked and guests are brought to safety', async () => {
  const asked = scene('ask', [guestNamed('a')]);
  await asked.quitting.sessionEnds();
  expect(asked.said).toContain('shutdown ga');
  const suspending = scene('suspend', [guestNamed('a')]);
  await suspending.quitting.sessionEnds();
  expect(suspending.said).toContain('suspend ga');
  const keeping = scene('keep-running', [guestNamed('a')]);
  await keeping.quitting.sessionEnds();
  expect(keeping.said).toEqual(['leave']);
});
