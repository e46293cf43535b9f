/**
 * The engine without its rooms: real socket, database, jobs, feed and settings, and in place of QEMU guests that only exist.
 * For tests of the engine's own core; everything else runs the whole engine (`whole-engine.ts`).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { dataRootAt } from '../../contract/data-root.ts';
import { Failure } from '../../contract/errors.ts';
import { defaultGuestKeyboard } from '../../contract/guest-keyboard.ts';
import { type GuestSpec, guestSpecVersion } from '../../contract/guest-spec.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import { version } from '../../contract/version.ts';
import { createEngineClient } from '../../main/client/engine-client.ts';
import { createCatalogue } from '../../main/engine/catalogue/image-catalogue.ts';
import { type Engine, type Foundation, type Rooms, startEngine } from '../../main/engine/engine.ts';
import { layoutOf } from '../../main/engine/files/layout.ts';
import type { Guests, SerialListener } from '../../main/engine/guests/guests.ts';
import type { Images } from '../../main/engine/images/images.ts';
import { migrations } from '../../main/engine/store/migrations/all.ts';
import { patienceMs } from './until.ts';

export function freshHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'gh-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

export function guestIdOf(index: number): GuestId {
  return `g${index.toString(36).padStart(9, '0')}` as GuestId;
}

export function someGuest(index: number): Guest {
  const spec: GuestSpec = {
    version: guestSpecVersion,
    uuid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    name: `Guest ${index}`,
    notes: '',
    tags: ['test'],
    favourite: false,
    clipboard: 'both',
    files: 'to-guest',
    os: { id: 'debian12', name: 'Debian 12', family: 'linux', version: '12', distro: 'debian' },
    architecture: 'x86_64',
    machine: 'q35',
    accelerator: 'auto',
    cpu: { model: 'auto', sockets: 1, cores: 2, threads: 1, online: null, pins: [] },
    cpuQuotaPercent: null,
    memoryMiB: 512,
    memoryMaxMiB: null,
    balloonTargetMiB: null,
    hugePages: false,
    numaNodes: 1,
    firmware: 'bios',
    tpm: false,
    clock: 'utc',
    hypervEnlightenments: false,
    disks: [
      {
        id: 'disk0',
        location: { kind: 'store', file: 'disk0.qcow2' },
        format: 'qcow2',
        sizeBytes: 10_737_418_240,
        bus: 'virtio',
        cache: 'writeback',
        discard: true,
        iothread: false,
        readOnly: false,
        bootOrder: 1,
        limits: { bytesPerSecond: null, operationsPerSecond: null },
      },
    ],
    cdDrives: [],
    nics: [
      {
        id: 'nic0',
        mode: 'user',
        model: 'virtio',
        mac: '52:54:00:00:00:01',
        restricted: false,
        forwards: [],
        bridge: null,
        network: null,
        linkUp: true,
        bootOrder: null,
      },
    ],
    bootMenu: false,
    shares: [],
    usbDevices: [],
    display: { device: 'virtio', heads: 1 },
    sound: 'none',
    usbTablet: true,
    rng: true,
    balloon: true,
    watchdog: { model: 'none', action: 'none' },
    serial: true,
    agents: { qemu: true, spice: true },
    panicDevice: true,
    autostart: false,
    keyboard: defaultGuestKeyboard,
    extraArguments: [],
  };
  const at = '2026-11-23T08:00:00.000Z';
  return {
    id: guestIdOf(index),
    spec,
    state: { status: 'off', since: at, problems: [] },
    createdAt: at,
    lastStartedAt: null,
    trashedAt: null,
  };
}

/** A guest that looks as if it ran. */
export function runningGuest(index: number): Guest {
  const guest = someGuest(index);
  const run = {
    pid: process.pid,
    accelerator: 'tcg' as const,
    emulated: true,
    startedAt: guest.createdAt,
    qemuAgent: false,
    qemuAgentVersion: null,
    spiceAgent: false,
    addresses: [],
    hostname: null,
    resolution: null,
    silentSince: null,
  };
  return { ...guest, state: { ...guest.state, status: 'running', run } };
}

export type BareGuests = {
  rooms: (foundation: Foundation) => Rooms;
  guests: Map<GuestId, Guest>;
  serial: Set<SerialListener>;
  typed: string[];
  tellClients: (text: string) => void;
};

const unusedNow = () => {
  throw new Failure('image/not-found', 'This test has no images.');
};
const refuse = () => {
  throw new Failure('guest/denied', 'This test has no QEMU.');
};
const unused = () => Promise.reject(new Failure('guest/denied', 'This test has no QEMU.'));

export function bareRooms(guestCount = 0): BareGuests {
  const guests = new Map(Array.from({ length: guestCount }, (_, index) => [guestIdOf(index), someGuest(index)]));
  const serial = new Set<SerialListener>();
  const typed: string[] = [];
  let tellClients = (_text: string): void => undefined;
  const show = (id: GuestId) => {
    const guest = guests.get(id);
    if (!guest) throw new Failure('guest/not-found', `There is no guest ${id}.`);
    return guest;
  };
  const settled = () => Promise.resolve();
  const rooms = ({ layout, changes, database, clock, feed, jobs, settings }: Foundation): Rooms => {
    tellClients = (text) =>
      changes.event({
        id: 1,
        at: new Date().toISOString(),
        severity: 'info',
        kind: 'test.noise',
        text,
        guestId: null,
        imageId: null,
        jobId: null,
      });
    const all: Guests = {
      adopt: settled,
      autostart: settled,
      release: settled,
      list: () => [...guests.values()],
      listTrash: () => [],
      show,
      runningCount: () => [...guests.values()].filter((guest) => guest.state.run).length,
      start: unused,
      pause: unused,
      resume: unused,
      shutdown: unused,
      forceOff: unused,
      reset: unused,
      suspend: unused,
      hold: unused,
      async delete(id) {
        show(id);
        guests.delete(id);
        changes.guest(id, null);
      },
      restore: unused,
      purge: unused,
      async rename(id, name) {
        const guest = show(id);
        const renamed = { ...guest, spec: { ...guest.spec, name } };
        guests.set(id, renamed);
        changes.guest(id, renamed);
        return renamed;
      },
      annotate: unused,
      runsWith: () => null,
      isIdle: () => true,
      liveDisks: () => null,
      sharesOf: async () => new Map(),
      expert: unused,
      screenshot: unused,
      thumbnail: async (id) => (show(id).state.status === 'off' ? null : Buffer.from('png')),
      exec: unused,
      trim: unused,
      type: async (id, text) => {
        show(id);
        typed.push(text);
      },
      sendKeys: unused,
      keysRead: unused,
      consoles: (id) => ({ spiceSocketPath: null, movedSpiceSocketPath: null, serial: show(id).spec.serial }),
      arguments: unused,
      attachSerial(_id, listener) {
        serial.add(listener);
        listener.data(Buffer.from('login: '));
        return {
          write: (bytes) => void typed.push(Buffer.from(bytes).toString()),
          detach: () => void serial.delete(listener),
        };
      },
      measure: async (id) =>
        show(id).state.run
          ? {
              at: new Date().toISOString(),
              cpuCores: 0.5,
              memoryBytes: 1024,
              diskReadBytesPerSecond: 0,
              diskWriteBytesPerSecond: 0,
              netReceiveBytesPerSecond: null,
              netSendBytesPerSecond: null,
            }
          : null,
      nameTaken: () => false,
      beginCreation: () => someGuest(0),
      finishCreation: () => someGuest(0),
      abandonCreation: settled,
      abandonUnlessRun: settled,
      setTemplate: show,
      setIdentity: () => undefined,
      keep: show,
      disposeOfRested: () => undefined,
    };
    const images: Images = {
      list: () => [],
      pick: () => [],
      known: () => [],
      uses: () => new Map(),
      show: unusedNow,
      packages: unusedNow,
      inspect: unused,
      import: unused,
      delete: unused,
      edit: unused,
      editMany: () => ({ changed: 0, edit: null }),
      renameSeries: () => ({ changed: 0, edit: null }),
      undoEdit: unusedNow,
      fillIn: settled,
      readAgain: unusedNow,
      ensureBuiltIn: settled,
    };
    return {
      guests: all,
      images,
      snapshots: {
        tree: refuse,
        show: refuse,
        create: unused,
        revert: unused,
        export: unused,
        open: unused,
        delete: refuse,
        restore: refuse,
        edit: refuse,
        setSchedule: refuse,
        thumbnail: unused,
        carried: refuse,
        whileUntouched: unused,
        adopt: unused,
        forsake: settled,
        beforeHardwareChange: settled,
        tidyLayers: settled,
        moments: { begin: refuse, make: unused, end: settled },
        tick: settled,
      },
      storage: {
        report: unused,
        findDuplicates: refuse,
        deleteOrphan: unused,
        reclaimGuest: refuse,
        reclaimImage: refuse,
        addLocation: unused,
        removeLocation: unused,
        moveImage: unused,
        places: unused,
        moveGuest: unused,
        mustBeKnown: () => undefined,
      },
      downloads: { list: unused, checkNetwork: unused, start: unused, discard: unused },
      catalogue: createCatalogue({
        database,
        clock,
        feed,
        jobs,
        host: { qemuImgPath: unused },
        recognition: { systems: async () => [] },
        images: () => images,
        guests: () => all,
        importDefinition: unusedNow,
        settings: settings.get,
        layout,
      }),
      creation: { plan: unused, create: unused },
      clones: {
        plan: unused,
        clone: unused,
        disposable: unused,
        makeTemplate: show,
        templateOfImage: unused,
        makeGuest: unused,
        flatten: unused,
        rebase: unused,
        planRebase: unused,
        verify: () => {
          throw new Failure('image/not-found', 'This test has no images.');
        },
        tellOfChangedBases: settled,
        lineage: async () => [],
      },
      transfer: {
        archives: { inspect: unused, import: unused },
        inspect: unused,
        import: unused,
        export: unused,
        exportSize: unused,
        bootTest: unused,
      },
      seeds: {
        prepare: unused,
        write: unused,
        takeInstaller: unused,
        writeForClone: unused,
        launch: () => null,
        installed: () => {},
        show: async () => null,
        remove: unused,
        writeFile: unused,
        forget: () => {},
        prune: () => {},
      },
      hardware: {
        plan: unused,
        edit: unused,
        undo: unused,
        forget: () => undefined,
        removedDisks: unused,
        attachRemovedDisk: unused,
        deleteRemovedDisk: unused,
        past: () => [],
        shares: unused,
        mountShare: unused,
        libvirtXml: unused,
        query: unused,
        command: unused,
      },
      host: {
        qemuFor: unused,
        acceleratorFor: unused,
        firmwareFor: unused,
        swtpmPath: unused,
        virtiofsdPath: async () => null,
        qemuImgPath: unused,
        guestfs: unused,
        report: unused,
      },
      jobDefinitions: [],
      settleMoves: settled,
      settleLeftovers: settled,
    };
  };
  return { rooms, guests, serial, typed, tellClients: (text) => tellClients(text) };
}

export async function startBareEngine({ home = freshHome(), idleSeconds = 600, bare = bareRooms() } = {}) {
  const engine: Engine = await startEngine({
    layout: layoutOf(dataRootAt(home)),
    clock: { nowMs: () => Date.now() },
    compose: bare.rooms,
    idleSeconds,
    foreground: false,
  });
  const client = createEngineClient({ socketPath: engine.socketPath, version, client: 'test' }, patienceMs);
  onTestFinished(async () => {
    client.close();
    engine.stop('The test is over.');
    await engine.stopped;
  });
  return { engine, client, home, ...bare };
}

/** The newest version that the database can have. */
export const newestDatabaseVersion = migrations.at(-1)?.number ?? 0;
