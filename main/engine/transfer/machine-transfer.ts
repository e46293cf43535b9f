/** Implements `transfer.ts`. */
import { randomBytes } from 'node:crypto';
import { lstat, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, resolve } from 'node:path';
import type { CallParsed } from '../../../contract/calls.ts';
import { Failure } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { bootTest, type MachineFinding, type MachineReport } from '../../../contract/machine.ts';
import type { Settings } from '../../../contract/settings.ts';
import type { CreationGuests } from '../creation/create-job.ts';
import { suggestName } from '../creation/guest-names.ts';
import { hardwareDefaults } from '../creation/hardware-defaults.ts';
import { checkMachine, checkName, checkNeeds, checkShape, checkSize } from '../creation/plan-checks.ts';
import { failureOf } from '../creation/plan-note.ts';
import type { Driver } from '../drivers/driver.ts';
import type { Feed } from '../feed/feed.ts';
import type { Layout } from '../files/layout.ts';
import { isCreating } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import type { JobDefinition, JobRunner } from '../jobs/job-definition.ts';
import type { Log } from '../log/log.ts';
import { notRecognised, type OsRecognition } from '../os/os-recognition.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import { newGuestId } from '../store/new-id.ts';
import { type ArchiveImagesDeps, createArchiveImages } from './archive-images.ts';
import { bootTestPicture, bootTestRecord } from './boot-test.ts';
import { type CapsulePlan, planCapsule } from './capsule-plan.ts';
import { capsuleSpec, type Others } from './capsule-spec.ts';
import { planConversion, withVirtio } from './driver-conversion.ts';
import { defineExport, type ExportGuests, type ExportInput, exists } from './export-job.ts';
import { carriedVariablesFinding, planVariables } from './firmware-variables.ts';
import { defineMachineImport, type MachineImportInput } from './import-machine-job.ts';
import { type PlannedMachine, planMachine } from './machine-spec.ts';
import { hashesOf } from './manifest-check.ts';
import type { FoundCapsule } from './open-capsule.ts';
import { type FoundMachine, findMachine } from './open-machine.ts';
import { contentFindings, unreadContent } from './preflight.ts';
import { type ReadDisk, readMachineDisks, recogniseMachine } from './read-machine.ts';
import type { Transfer } from './transfer.ts';
import { measureCapsule } from './write-capsule.ts';

export type TransferDeps = {
  layout: Layout;
  jobs: Pick<JobRunner, 'start' | 'ended'>;
  guests: CreationGuests & ExportGuests;
  snapshots: Pick<Snapshots, 'carried' | 'whileUntouched' | 'adopt' | 'forsake'>;
  images: ArchiveImagesDeps['images'];
  driver: Driver;
  host: HostCapabilities;
  recognition: OsRecognition;
  feed: Feed;
  log: Log;
  settings: () => Pick<Settings, 'keepFreeMiB'>;
  /** A disc of the library with drivers for Windows, or null. */
  windowsDrivers: () => string | null;
};

export type MachineTransfer = Transfer & { jobDefinitions: readonly JobDefinition<never>[] };

type Plan = {
  report: MachineReport;
  spec: GuestSpec;
  disks: ReadDisk[];
  hashes: MachineImportInput['hashes'];
  /** Besides disks. */
  files: MachineImportInput['extras'];
  /** Of a capsule, whose disks are taken as they are. */
  capsule: CapsulePlan | null;
  /** Which disk holds the system, when that could be given drivers. */
  conversion: MachineImportInput['conversion'];
};

export function createTransfer(deps: TransferDeps): MachineTransfer {
  const { layout, jobs, guests, snapshots, host, recognition, settings } = deps;
  const log = deps.log.child({ room: 'transfer' });
  const keepFreeBytes = () => settings().keepFreeMiB * 1024 ** 2;
  const definition = defineMachineImport({ ...deps, keepFreeBytes });
  const archives = createArchiveImages({ ...deps, keepFreeBytes });
  const exportDefinition = defineExport({
    layout,
    guests,
    snapshots,
    host,
    feed: deps.feed,
    // A disk of the user's own may be filled; the one that guests write to may not.
    keepFreeBytesAt: async (folder) => ((await stat(folder)).dev === (await stat(layout.home)).dev ? keepFreeBytes() : 0),
  });

  // That none is installed is said by the check of the machine.
  const firmwareOf = ({ firmware, architecture }: GuestSpec) => host.firmwareFor(firmware, architecture).catch(() => null);

  /** What is to be said of the variables that a capsule brings for the present. */
  const carriedVariables = async ({ extras }: FoundCapsule, spec: GuestSpec): Promise<MachineFinding[]> => {
    const nvram = extras.find(({ role, snapshot }) => role === 'nvram' && snapshot === null);
    const firmware = nvram ? await firmwareOf(spec) : null;
    const finding = nvram && firmware ? await carriedVariablesFinding(nvram.ref, firmware) : null;
    return finding ? [finding] : [];
  };

  const makePlan = async (path: string, moreDisks: readonly string[], trustPaths: boolean, name?: string): Promise<Plan> => {
    const found = await findMachine(path, moreDisks);
    const { machine, kind } = found;
    const { disks, findings: diskFindings } = found.capsule
      ? { disks: carriedDisks(found, found.capsule), findings: [] }
      : await readMachineDisks(found, trustPaths, recognition);
    const { os, by } = found.capsule
      ? { os: found.capsule.capsule.spec.os, by: 'By its capsule.' }
      : await recogniseMachine(found, disks, recognition);
    const hostReport = await host.report();
    const known = await recognition.knowledgeOf(os);
    const prefersUefi = disks.some(({ content }) => content.report?.prefersUefi);
    const defaults = hardwareDefaults({ os, known, medium: { firmware: prefersUefi ? 'uefi' : 'bios' }, host: hostReport });
    const others = [...guests.list(), ...guests.listTrash()].map((guest) => guest.spec);
    const macsTaken = new Set(others.flatMap((spec) => spec.nics.map((nic) => nic.mac)));
    const shown = machine.name ?? (kind === 'disk' && os.id !== null ? os.name : basename(path, extname(path)));
    const chosen = name ?? suggestName(notRecognised.os, `${shown}.vm`, (one) => guests.nameTaken(one));
    const uuids = new Set(others.map((spec) => spec.uuid));
    const opened = found.capsule && openedCapsule(found.capsule, chosen, { uuids, macs: macsTaken });
    const library = deps.windowsDrivers();
    const installed = await host.guestfs();
    const tools = { ...installed, windowsDrivers: installed.windowsDrivers ?? library };
    const drivers = planConversion(
      disks.map(({ content }) => content),
      tools,
    );
    const planned = opened ?? planMachine({ name: chosen, os, machine, disks, defaults, host: hostReport, macsTaken });
    const { spec } = planned;
    const shape = disks.length > 0 ? checkShape(spec) : [];
    const notes = [...checkSize(spec, hostReport, known), ...(await checkMachine(spec, host, hostReport)), ...checkNeeds(spec), ...shape];
    const variables =
      opened || spec.firmware === 'bios' ? null : await planVariables(machine.variables, found.folder, await firmwareOf(spec), trustPaths);
    const outsideDisks = found.disks.filter((one) => one.outside).map((one) => one.ref?.path ?? one.file);
    const findings = [
      ...machine.findings,
      ...diskFindings,
      ...sourceFindings(found, trustPaths ? [] : outsideDisks, os.family === 'macos'),
      // A capsule brings all that its disks belong to.
      ...(opened
        ? []
        : contentFindings(
            disks.map(({ content }) => content),
            os,
            machine.tpm,
          )),
      ...planned.findings,
      ...(variables ? [variables.finding] : []),
      ...(found.capsule ? await carriedVariables(found.capsule, spec) : []),
      ...notes.map(({ code, severity, message, hint }) => ({
        id: code,
        severity,
        title: 'This computer',
        text: message,
        action: hint ?? 'The guest can be changed afterwards.',
      })),
    ];
    if (drivers.finding && !opened) findings.push(drivers.finding);
    const report: MachineReport = {
      path,
      kind,
      name: spec.name,
      notes: spec.notes,
      os,
      recognisedBy: by,
      cpus: spec.cpu.sockets * spec.cpu.cores * spec.cpu.threads,
      memoryMiB: spec.memoryMiB,
      firmware: spec.firmware,
      tpm: spec.tpm,
      disks: disks.map(({ source, ref, virtualSizeBytes, fileSizeBytes }, index) => ({
        file: ref.name,
        format: ref.format,
        fileSizeBytes,
        virtualSizeBytes,
        controller: source.controller,
        bus: spec.disks[index]?.bus ?? 'sata',
      })),
      nics: spec.nics.map(({ model, mac }) => ({ model, mac })),
      findings: sorted(findings),
      conversion: opened ? null : drivers.conversion,
      outsideFiles: [...outsideDisks, ...(variables?.outsideFile ? [variables.outsideFile] : [])],
    };
    const files = opened?.plan.files ?? (variables?.file ? [variables.file] : []);
    const file = `disk${drivers.index}.qcow2`;
    const conversion =
      report.conversion?.cannot === null ? { file, spec: withVirtio(spec, file), windowsDrivers: tools.windowsDrivers } : null;
    return { report, spec, disks, hashes: hashesOf(found), files, capsule: opened?.plan ?? null, conversion };
  };

  return {
    jobDefinitions: [definition, exportDefinition, archives.definition] as unknown as JobDefinition<never>[],

    archives,

    inspect: async ({ path, moreDisks }) => (await makePlan(path, moreDisks ?? [], false)).report,

    async import({ path, moreDisks, name, bootTest: tryIt, convert, trustPaths }: CallParsed<'machine.import'>, by) {
      const unnameable = name === undefined ? undefined : checkName(name, (one) => guests.nameTaken(one))[0];
      if (unnameable) throw failureOf(unnameable);
      const { report, spec, disks, hashes, files, capsule, conversion } = await makePlan(path, moreDisks ?? [], trustPaths ?? false, name);
      const stop = report.findings.find(({ severity }) => severity === 'problem');
      if (stop)
        throw new Failure('machine/blocked', `“${report.name}” was not imported. ${stop.text}`, { hint: stop.action, path: 'path' });
      if (convert && !conversion) {
        throw new Failure(
          'machine/no-conversion',
          `“${report.name}” cannot be given drivers: ${report.conversion?.cannot ?? 'it lacks none.'}`,
          {
            hint: 'Import it without that.',
            path: 'convert',
          },
        );
      }
      // Nothing is awaited between this and the row, so two guests cannot get the same name.
      const again = checkName(spec.name, (one) => guests.nameTaken(one))[0];
      if (again) throw failureOf(again);
      const id = newGuestId();
      const guest = guests.beginCreation(id, spec);
      const input: MachineImportInput = {
        guestId: id,
        spec,
        disks: disks.map(({ ref, virtualSizeBytes, fileSizeBytes }, index) => ({
          ref,
          virtualSizeBytes,
          fileSizeBytes,
          file: `disk${index}.qcow2`,
          carried: capsule?.disks[index] ?? null,
        })),
        hashes,
        layers: capsule?.layers ?? [],
        extras: files,
        tree: capsule?.tree ?? null,
        conversion: convert === false ? null : conversion,
        bootTest: tryIt ?? true,
      };
      try {
        const job = jobs.start(definition, {
          title: `Import ${spec.name}`,
          target: { kind: 'guest', id, name: spec.name },
          input,
          startedBy: by,
        });
        void jobs
          .ended(job.id)
          .then((ended) => (ended.state === 'succeeded' ? undefined : abandon(id)))
          .catch((thrown: unknown) => log.warn({ error: thrown, guest: id }, 'A guest that was not imported could not be removed.'));
        return { guest, job };
      } catch (thrown) {
        void guests.abandonCreation(id).catch(() => undefined);
        throw thrown;
      }
    },

    async export({ guest: id, format, path, overwrite, withSnapshots }, by) {
      const { spec, state } = guests.show(id);
      const cannot = guestCannot(state, 'clone');
      if (cannot !== null) throw new Failure('guest/denied', cannot);
      if (spec.disks.length === 0 && format !== 'capsule') {
        throw new Failure('guest/denied', `${spec.name} has no disks that could be exported.`, { hint: 'Export it as a capsule.' });
      }
      await checkTarget(path, overwrite ?? false, layout.home);
      const staging = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.exporting`);
      const input: ExportInput = {
        guestId: id,
        format,
        path,
        overwrite: overwrite ?? false,
        withSnapshots: withSnapshots ?? true,
        staging,
      };
      return jobs.start(exportDefinition, {
        title: `Export ${spec.name}`,
        target: { kind: 'guest', id, name: spec.name },
        input,
        startedBy: by,
      });
    },

    async exportSize(id) {
      const { spec } = guests.show(id);
      const tree = snapshots.carried(id);
      const wish = { spec, files: layout.guest(id), layout, tree, qemuImg: await host.qemuImgPath() };
      return { snapshots: tree.snapshots.length, ...(await measureCapsule(wish)) };
    },

    async bootTest(id) {
      const files = layout.guest(id);
      const text = await readFile(bootTestRecord(files), 'utf8').catch(() => null);
      if (text === null) return null;
      const parsed = bootTest.safeParse(JSON.parse(text));
      if (!parsed.success) return null;
      const png = await readFile(bootTestPicture(files)).catch(() => null);
      return { ...parsed.data, pngBase64: png?.toString('base64') ?? null };
    },
  };

  /** Also when the job was cancelled before its first step. */
  async function abandon(id: GuestId): Promise<void> {
    if (isCreating(guests, id)) await guests.abandonCreation(id);
  }
}

/** Disks that are taken as they are, without being looked into. */
function carriedDisks({ machine }: FoundMachine, { disks }: FoundCapsule): ReadDisk[] {
  const content = unreadContent;
  return disks.flatMap(({ ref, virtualSizeBytes }, index) => {
    const source = machine.disks[index];
    return source ? [{ source, ref, virtualSizeBytes, fileSizeBytes: ref.member?.sizeBytes ?? 0, content }] : [];
  });
}

/** The guest of a capsule with its disks as large as they are, and what becomes of its files. */
function openedCapsule(found: FoundCapsule, name: string, others: Others): PlannedMachine & { plan: CapsulePlan } {
  const { spec, cleaned, findings } = capsuleSpec(found.capsule, name, others);
  const disks = spec.disks.map((disk, index) => ({ ...disk, sizeBytes: found.disks[index]?.virtualSizeBytes ?? disk.sizeBytes }));
  return { spec: { ...spec, disks }, findings, plan: planCapsule(found, cleaned) };
}

/** @throws Failure `export/exists`, `store/not-writable` or `call/invalid-input` */
async function checkTarget(path: string, overwrite: boolean, home: string): Promise<void> {
  const wrong = (message: string, hint: string) => new Failure('store/not-writable', message, { hint, path: 'path' });
  if (!isAbsolute(path) || path !== resolve(path))
    throw wrong('The path of an export must be absolute and plain.', 'Choose a file in a folder of yours.');
  const folder = await realpath(dirname(path)).catch(() => null);
  if (!folder || !(await stat(folder)).isDirectory())
    throw wrong(`There is no folder ${dirname(path)}.`, 'Make it first, or choose another.');
  const within = relative(await realpath(home), join(folder, basename(path)));
  if (!within.startsWith('..') && !isAbsolute(within)) {
    throw wrong('An export cannot lie in the data folder of Guesthouse.', 'Choose a folder of your own.');
  }
  if (!overwrite && (await lstat(path).catch(() => null))) throw exists(path);
}

/** What is to be said of the machine as a whole. */
function sourceFindings(found: FoundMachine, outside: readonly string[], isMac: boolean): MachineFinding[] {
  const findings: MachineFinding[] = [];
  const { machine, kind, manifest, disks } = found;
  if (outside.length > 0) {
    findings.push({
      id: 'source/outside-files',
      severity: 'problem',
      title: 'It names files outside its own folder',
      text: `${outside.join(', ')}: a description from a stranger could so make any file of yours a disk of the guest.`,
      action: 'If these are disks of this machine, allow them; then they are copied too.',
    });
  }
  if (disks.length === 0) {
    findings.push({
      id: 'source/no-disks',
      severity: 'problem',
      title: 'It has no disks',
      text: 'Nothing could be imported.',
      action: 'Choose another file.',
    });
  }
  if (isMac || machine.architecture !== 'x86_64') {
    findings.push({
      id: 'machine/architecture',
      severity: 'problem',
      title: isMac ? 'It is macOS' : 'It is made for another processor',
      text: isMac
        ? 'macOS may only be run on Apple’s computers, and is not supported as a guest.'
        : 'Machines for ARM processors cannot be imported.',
      action: 'Nothing is copied.',
    });
  }
  if (kind === 'ova' || kind === 'ovf') {
    findings.push(
      manifest
        ? {
            id: 'source/manifest',
            severity: 'ok',
            title: 'Manifest',
            text: 'It has a manifest with the hash of each file.',
            action: 'The disks are checked against it before anything is copied.',
          }
        : {
            id: 'source/manifest',
            severity: 'info',
            title: 'No manifest',
            text: 'It has no list of hashes.',
            action: 'Damage on the way cannot be noticed by the import.',
          },
    );
  }
  return findings;
}

const order: readonly MachineFinding['severity'][] = ['problem', 'warning', 'info', 'ok'];

function sorted(findings: readonly MachineFinding[]): MachineFinding[] {
  return [...findings].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}
