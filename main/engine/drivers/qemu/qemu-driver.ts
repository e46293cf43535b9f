/** The driver that runs guests under QEMU on this computer. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, open, rename, rm, truncate } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { Failure } from '../../../../contract/errors.ts';
import { acceleratorName, cpusOnline, type GuestSpec } from '../../../../contract/guest-spec.ts';
import type { GuestFiles } from '../../files/layout.ts';
import type { FirmwareFiles, HostCapabilities } from '../../host/capabilities.ts';
import type { Log } from '../../log/log.ts';
import { QmpClient } from '../../qmp/qmp-client.ts';
import { QmpTimeoutError } from '../../qmp/qmp-errors.ts';
import type { Driver, DriverListener, DriverRun, LaunchRequest, LaunchSeed, PreparedRun, RunEnd, RunFacts } from '../driver.ts';
import { buildArguments } from './arguments/build-arguments.ts';
import { hasScreen, type LaunchFacts } from './arguments/launch-facts.ts';
import { storageBlocksSuspend } from './arguments/storage.ts';
import { checkBridges, findBridgeHelper } from './bridge.ts';
import { quotaProblem, setCpuQuota } from './cpu-quota.ts';
import { checkDisks, checkMedia, diskPaths, mediumPaths } from './disk-files.ts';
import { createQemuFinder, findQemu, findStartingQemu } from './find-qemu.ts';
import { checkForwards } from './host-ports.ts';
import { checkNetworks, joinNetworks } from './isolated-networks.ts';
import { bootId, commandLine, isAlive, type ProcessId, signalProcess, waitUntil } from './process-table.ts';
import { QemuRun } from './qemu-run.ts';
import { readTail } from './run-end.ts';
import { clearRun, readEnd } from './run-traces.ts';
import { dropSaved, hasSaved, hasSpent, spendSaved, syncFolder, unspendSaved } from './saved-state.ts';
import { checkShares, planShares, sharesBlockSuspend, sharesOf, startShare } from './shares.ts';
import { startFailure } from './start-failure.ts';
import { startTpm } from './tpm.ts';
import { readExit, spawnWrapped } from './wrapper.ts';

/** Memory that is set aside at the start, and a busy computer, make this long at worst. */
const readyTimeoutMs = 60_000;
/** A QEMU that hangs must not keep the engine from coming up. */
const adoptTimeoutMs = 3_000;
const connectEveryMs = 5;
const logTailBytes = 16 * 1024;

export type QemuDriverParts = { host: HostCapabilities; log: Log };

export function createQemuDriver({ host, log }: QemuDriverParts): Driver {
  const sandbox = process.platform === 'linux';
  const logOf = (id: string) => log.child({ guest: id });
  const findAmongMany = createQemuFinder();

  async function joinRun(
    { spec, files, id }: Pick<LaunchRequest, 'id' | 'spec' | 'files'>,
    facts: RunFacts & { process: ProcessId },
    qmp: QmpClient | null,
    listener: DriverListener,
  ): Promise<QemuRun> {
    const run = new QemuRun({ spec, files, facts, diskPaths: diskPaths(spec, files), qmp, listener, log: logOf(id) });
    try {
      await run.join();
    } catch (thrown) {
      run.release();
      throw thrown;
    }
    return run;
  }

  return {
    cannot(spec, verb) {
      if (verb === 'suspend') return storageBlocksSuspend(spec) ?? sharesBlockSuspend(spec);
      if (verb === 'screenshot' && !hasScreen(spec)) return 'The guest has no screen.';
      return null;
    },

    async describe(request) {
      const { spec, files } = request;
      const plain = (paths: Map<string, string>) =>
        new Map([...paths].map(([id, path]) => [id, { path, hostDevice: path.startsWith('/dev/'), bases: [] }]));
      // Shown as it would be started where that can be found out; a disk that is broken is shown without what it builds upon.
      const disks = await checkDisks(spec, files).catch(() => plain(diskPaths(spec, files)));
      const qemu = await host.qemuFor(spec.architecture);
      const facts: LaunchFacts = {
        id: request.id,
        files,
        accelerator: request.saved?.accelerator ?? (await host.acceleratorFor(spec)),
        firmware: await host.firmwareFor(spec.firmware, spec.architecture),
        disks,
        media: plain(mediumPaths(spec, request.imagePath)),
        plugged: request.saved?.plugged ?? {},
        shares: (await planShares(spec, host.virtiofsdPath)).shares,
        machine: request.saved?.machine ?? null,
        incoming: request.saved !== null,
        bridgeHelper: findBridgeHelper(),
        ...seedFactsOf(request.seed),
        sandbox,
      };
      return [qemu.path, ...buildArguments(spec, facts)];
    },

    async prepare(request): Promise<PreparedRun> {
      const { id, spec, files, saved } = request;
      checkSize(spec);
      const qemu = await host.qemuFor(spec.architecture);
      if (hasScreen(spec) && !qemu.spice) {
        throw new Failure('host/no-spice', `${spec.name} has a screen, and ${qemu.path} was built without SPICE.`, {
          hint: 'Install a QEMU with SPICE (on Debian: apt install qemu-system-modules-spice or qemu-system-x86), or take the screen out of the guest.',
        });
      }
      const accelerator = await host.acceleratorFor(saved ? { ...spec, accelerator: saved.accelerator } : spec);
      const firmware = await host.firmwareFor(spec.firmware, spec.architecture);
      const swtpmPath = spec.tpm ? await host.swtpmPath() : null;
      const disks = await checkDisks(spec, files);
      const { media, problems } = await checkMedia(spec, request.imagePath);
      const seed = await checkSeed(spec.name, request.seed, problems);
      await checkForwards(spec, request.portHolders);
      checkBridges(spec);
      checkNetworks(spec, qemu.version);
      await checkShares(spec);
      const { shares, daemon } = await planShares(spec, host.virtiofsdPath);
      // Whoever runs has its sockets there; to look at every process costs more than all else that is checked here.
      if (existsSync(files.run) && findQemu(files)) {
        throw new Failure('guest/start-failed', `${spec.name} did not start: another QEMU still runs it.`, {
          hint: 'Restart the engine, so that it takes that one over.',
        });
      }
      const launchFacts: LaunchFacts = {
        id,
        files,
        accelerator,
        firmware,
        disks,
        media,
        plugged: saved?.plugged ?? {},
        shares,
        machine: saved?.machine ?? null,
        incoming: saved !== null,
        bridgeHelper: findBridgeHelper(),
        ...seedFactsOf(seed),
        sandbox,
      };
      const unlimited = spec.cpuQuotaPercent === null ? null : await quotaProblem();
      if (unlimited) problems.push(unlimited);
      const limited = spec.cpuQuotaPercent !== null && !unlimited;
      const argv = [qemu.path, ...buildArguments(spec, launchFacts)];
      await makeFolders(files, saved !== null);
      if (firmware) await makeNvram(files, firmware);
      const facts: RunFacts = {
        arguments: argv,
        accelerator,
        startedAt: new Date().toISOString(),
        bootId: bootId(),
        machine: null,
        process: null,
        plugged: saved?.plugged ?? {},
      };
      return {
        facts,
        problems,
        async launch(listener, signal) {
          const kill = () => {
            const qemu = findQemu(files);
            if (qemu) signalProcess(qemu, 'SIGKILL');
          };
          signal.addEventListener('abort', kill);
          try {
            if (swtpmPath) await startTpm(swtpmPath, spec.name, files);
            await joinNetworks(qemu.path, id, spec.nics, files);
            for (const share of spec.shares) {
              if (daemon && shares.get(share.id) === 'virtiofs') await startShare(daemon, share, spec.name, files);
            }
            await spawnWrapped(argv, files.qemuLog, files.exit, files.folder);
            const qmp = await connectWhenReady(spec.name, files, readyTimeoutMs, null);
            const found = await findStartingQemu(files, null);
            if (!found) throw startFailure(spec.name, '', 'its process vanished.');
            const machine = await machineType(qmp);
            const run = await joinRun(request, { ...facts, machine, process: found }, qmp, listener);
            await run.settleStart(saved !== null);
            if (limited) await setCpuQuota(found.pid, files.run, spec.cpuQuotaPercent);
            return run;
          } catch (thrown) {
            await giveUp(files);
            throw thrown;
          } finally {
            signal.removeEventListener('abort', kill);
          }
        },
      };
    },

    async adopt({ id, spec, files }, facts, listener): Promise<DriverRun | RunEnd> {
      const look = async () => (facts.bootId === bootId() ? findStartingQemu(files, facts.process) : null);
      let found = await look();
      if (!found) {
        const end = await readEnd(spec.name, files, facts, null, null);
        // Of an engine that was killed as it made the shell, that may not have been one yet: what it has started since runs now.
        found = facts.process === null ? await look() : null;
        if (!found) return end;
      }
      // It may have been started a moment ago and not be ready, or it ends this very moment, or it hangs: then it is ours all the same.
      const qmp = await connectWhenReady(spec.name, files, adoptTimeoutMs, found).catch(() => null);
      if (!qmp && !isAlive(found)) return readEnd(spec.name, files, facts, null, null);
      const machine = facts.machine ?? (qmp ? await machineType(qmp).catch(() => null) : null);
      return joinRun({ id, spec, files }, { ...facts, machine, process: found }, qmp, listener);
    },

    async shares(spec, facts) {
      return facts ? sharesOf(facts.arguments, spec) : (await planShares(spec, host.virtiofsdPath)).shares;
    },

    find(files) {
      const found = findAmongMany(files);
      if (!found) return null;
      const argv = commandLine(found.pid);
      const accelerator = acceleratorName.safeParse(argv[argv.indexOf('-accel') + 1]).data ?? 'tcg';
      return {
        arguments: argv,
        accelerator,
        machine: null,
        startedAt: new Date().toISOString(),
        bootId: bootId(),
        process: found,
        plugged: {},
      };
    },

    clear: clearRun,
    savedState: (files) => (hasSaved(files) ? 'whole' : hasSpent(files) ? 'spent' : 'none'),
    spendSaved,
    unspendSaved,
    dropSaved,
  };
}

const seedFactsOf = (seed: LaunchSeed | null): Pick<LaunchFacts, 'seedDisc' | 'firstStart'> => ({
  seedDisc: seed?.disc ? { path: seed.disc, asDisk: seed.asDisk } : null,
  firstStart: seed?.firstStart ?? null,
});

/** Without its disc a system asks what it wants to know; without its kernel nothing can be installed. */
async function checkSeed(name: string, seed: LaunchSeed | null, problems: string[]): Promise<LaunchSeed | null> {
  if (!seed) return null;
  for (const path of seed.firstStart ? [seed.firstStart.kernel, seed.firstStart.initrd] : []) {
    if (!existsSync(path)) {
      throw new Failure('image/file-missing', `The installer of ${name} is missing: there is no file ${path}.`, {
        hint: 'Remove the answers (“guesthouse seed remove”) and start the guest again, to answer the installer yourself.',
      });
    }
  }
  if (seed.disc === null || existsSync(seed.disc)) return seed;
  problems.push(`The disc with the answers for ${name} is missing, so the system will ask.`);
  return { ...seed, disc: null };
}

function checkSize(spec: GuestSpec): void {
  const hostMiB = Math.floor(totalmem() / 1024 / 1024);
  if (spec.memoryMiB > hostMiB) {
    throw new Failure('host/not-enough-memory', `${spec.name} wants ${spec.memoryMiB} MiB of memory; this computer has ${hostMiB} MiB.`, {
      hint: 'Give the guest less memory.',
      path: 'memoryMiB',
    });
  }
  const hostCpus = cpus().length;
  if (cpusOnline(spec.cpu) > hostCpus) {
    throw new Failure('host/too-many-cpus', `${spec.name} wants ${cpusOnline(spec.cpu)} processors; this computer has ${hostCpus}.`, {
      hint: 'Give the guest fewer processors.',
      path: 'cpu',
    });
  }
}

async function makeFolders(files: GuestFiles, resuming: boolean): Promise<void> {
  await rm(files.run, { recursive: true, force: true });
  await mkdir(files.run, { recursive: true, mode: 0o700 });
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  if (!resuming) await truncate(files.serialLog).catch(() => {});
}

/** The guest's own UEFI variables begin as a copy of the firmware's; whole or not at all, since they hold its boot entries. */
async function makeNvram(files: GuestFiles, firmware: FirmwareFiles): Promise<void> {
  const half = `${files.nvram}.new`;
  const there = await open(files.nvram, 'r').then(
    (file) => file.close().then(() => true),
    () => false,
  );
  if (there) return;
  await copyFile(firmware.varsTemplatePath, half);
  const file = await open(half, 'r+');
  try {
    await file.chmod(0o600);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(half, files.nvram);
  await syncFolder(dirname(files.nvram));
}

/** @throws Failure `guest/start-failed` when QEMU ends, or is not ready in time. */
async function connectWhenReady(name: string, files: GuestFiles, timeoutMs: number, qemu: ProcessId | null): Promise<QmpClient> {
  const deadline = Date.now() + timeoutMs;
  const log = () => readTail(files.qemuLog, logTailBytes).toString('utf8');
  for (;;) {
    try {
      return await QmpClient.connect(files.qmp, Math.max(1, deadline - Date.now()));
    } catch (thrown) {
      if (thrown instanceof QmpTimeoutError || Date.now() > deadline) {
        throw startFailure(name, log(), `QEMU was not ready within ${timeoutMs / 1000} s.`);
      }
    }
    const exit = readExit(files.exit);
    if (exit) throw startFailure(name, log(), `QEMU ended with ${exit.signal ?? `exit status ${exit.exitStatus}`}.`, exit);
    if (qemu && !isAlive(qemu)) throw startFailure(name, log(), 'QEMU ended.');
    await new Promise((done) => setTimeout(done, connectEveryMs));
  }
}

/** Ends whatever a failed start left running. */
async function giveUp(files: GuestFiles): Promise<void> {
  const qemu = await findStartingQemu(files, null);
  if (qemu) {
    signalProcess(qemu, 'SIGKILL');
    await waitUntil(() => !isAlive(qemu), 5_000);
  }
  await clearRun(files);
}

/** What must be the same when a state is loaded: "q35" may mean another machine after QEMU was updated. */
async function machineType(qmp: QmpClient): Promise<string> {
  return String(await qmp.execute('qom-get', { path: '/machine', property: 'type' })).replace(/-machine$/, '');
}
