/** A QEMU that runs, as those that change it see it. */
import { Failure } from '../../../../../contract/errors.ts';
import type { GuestSpec } from '../../../../../contract/guest-spec.ts';
import type { GuestFiles } from '../../../files/layout.ts';
import type { QmpArguments, QmpCommandName, QmpReturns } from '../../../qmp/qmp-commands.ts';
import type { QmpEvent } from '../../../qmp/qmp-message.ts';
import type { ChangeContext } from '../../driver.ts';
import type { LaunchFacts, machineFamily } from '../arguments/launch-facts.ts';
import type { DeviceOptions } from '../arguments/storage.ts';

export type LiveGuest = {
  name: string;
  pid: number;
  guestId: string;
  /** The program that runs it. */
  qemuPath: string;
  files: GuestFiles;
  family: ReturnType<typeof machineFamily>;
  /** How its shared folders are served. */
  shares: LaunchFacts['shares'];
  /** False when QEMU shut itself off from starting programs. */
  mayStartPrograms: boolean;
  /** Where devices are that were plugged in while it ran, by their id. Changed by those that plug. */
  plugged: Map<string, string>;
  context: ChangeContext;
  /** @throws QmpError and its kin */
  execute<Name extends QmpCommandName>(command: Name, argumentsOf: QmpArguments<Name>): Promise<QmpReturns<Name>>;
  onEvent(listener: (event: QmpEvent) => void): () => void;
};

/**
 * Makes the running guest be as `to` says at one place of the spec. What is so already is left alone.
 * @throws Failure, or an error of QMP
 */
export type Ensure = (guest: LiveGuest, deviceId: string, to: GuestSpec) => Promise<void>;

/** How long a guest has to let go of a device: Linux takes a moment, and one that boots or stands still never does. */
const unplugTimeoutMs = 20_000;
const freePorts = ['port0', 'port1', 'port2', 'port3'];

export async function hasDevice(guest: LiveGuest, id: string): Promise<boolean> {
  return hasChild(guest, '/machine/peripheral', id);
}

export async function hasObject(guest: LiveGuest, id: string): Promise<boolean> {
  return hasChild(guest, '/objects', id);
}

async function hasChild(guest: LiveGuest, path: string, id: string): Promise<boolean> {
  return (await guest.execute('qom-list', { path })).some(({ name }) => name === id);
}

/** A free port for a PCI device: q35 takes one only where a port was at power-on. @throws Failure `guest/denied` when all are taken */
export function freePort(guest: LiveGuest): string {
  if (guest.family !== 'q35') return 'pci.0';
  const taken = new Set(guest.plugged.values());
  const port = freePorts.find((one) => !taken.has(one));
  if (port) return port;
  throw new Failure('guest/denied', `${guest.name} has no free port left: ${freePorts.length} devices were added while it ran.`, {
    hint: 'Shut it down and start it again; what was added then finds its place at the start.',
  });
}

/** Adds a device unless it is there, and remembers its place. */
export async function plug(guest: LiveGuest, { driver, properties }: DeviceOptions, bus: string | null): Promise<void> {
  const id = String(properties.id);
  if (await hasDevice(guest, id)) return;
  const given = Object.fromEntries(
    Object.entries({ ...properties, ...(bus === null ? {} : { bus }) }).filter(([, value]) => value !== null),
  );
  await guest.execute('device_add', { driver, ...given, id });
  if (bus !== null) guest.plugged.set(id, bus);
}

/** Takes a device out and waits until the guest has let go of it. @throws Failure `guest/device-busy` when it does not in time */
export async function unplug(guest: LiveGuest, id: string): Promise<void> {
  if (await hasDevice(guest, id)) {
    const { signal } = guest.context;
    const gone = Promise.withResolvers<void>();
    const unsubscribe = guest.onEvent(({ event, data }) => {
      if (event === 'DEVICE_DELETED' && data.device === id) gone.resolve();
      if (event === 'DEVICE_UNPLUG_GUEST_ERROR' && data.device === id) gone.reject(busy(guest, id));
    });
    const timer = setTimeout(() => gone.reject(busy(guest, id)), unplugTimeoutMs);
    const stop = () => gone.reject(signal.reason);
    signal.addEventListener('abort', stop);
    try {
      await guest.execute('device_del', { id });
      await gone.promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      unsubscribe();
    }
  }
  guest.plugged.delete(id);
}

const busy = (guest: LiveGuest, id: string): Failure =>
  new Failure('guest/device-busy', `${guest.name} does not let go of ${id}.`, {
    hint: 'Stop using it in the guest (unmount its file systems) and try again, or shut the guest down first.',
  });

/** Talks to QEMU's other monitor, for the few things that QMP cannot do. @throws Failure `guest/qemu-refused` when it complains */
export async function humanCommand(guest: LiveGuest, line: string, complains: (answer: string) => boolean): Promise<string> {
  const answer = await guest.execute('human-monitor-command', { 'command-line': line });
  if (complains(answer)) throw new Failure('guest/qemu-refused', `QEMU refused: ${answer.trim()}`);
  return answer;
}

/** Waits for `look` to become true. @throws the signal's reason; false when it did not within `timeoutMs` */
export async function waitFor(guest: LiveGuest, look: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await look()) return true;
    guest.context.signal.throwIfAborted();
    if (Date.now() > deadline) return false;
    await new Promise((done) => setTimeout(done, 50));
  }
}
