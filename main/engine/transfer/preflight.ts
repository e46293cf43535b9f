/** What is looked at before anything is copied: the content of the disks, as far as it can be read, and what follows from it. */
import type { Failure } from '../../../contract/errors.ts';
import type { OsIdentity } from '../../../contract/guest-spec.ts';
import type { MachineFinding } from '../../../contract/machine.ts';
import { type ByteSource, slice } from '../images/byte-source.ts';
import { type ExtVolume, openExtVolume } from '../images/ext-reader.ts';
import { readFileSystem } from '../images/file-system.ts';
import { type DiskReport, inspectDisk } from '../images/inspect-disk.ts';
import { readPartitionTable } from '../images/partition-table.ts';
import type { OsRecognition } from '../os/os-recognition.ts';
import { openNtfs } from './ntfs-reader.ts';
import { readStartUpDrivers, type StartUpDrivers } from './start-up-drivers.ts';

/** What reading one disk found out. */
export type DiskContent = {
  report: DiskReport | null;
  bitlocker: boolean;
  luks: boolean;
  /** Of the volume with Windows on it; null when there is none that can be read. */
  windows: { dirty: boolean | null; asleep: boolean; virtio: { storage: boolean; network: boolean } | null } | null;
  /** Of a Linux whose kernel and start-up file system can be read. */
  startUp: StartUpDrivers | null;
};

export const unreadContent: DiskContent = { report: null, bitlocker: false, luks: false, windows: null, startUp: null };

const volumesMax = 32;

export async function readContent(content: ByteSource | null, name: string, recognition: OsRecognition): Promise<DiskContent> {
  const result: DiskContent = { ...unreadContent };
  if (!content) return result;
  result.report = await inspectDisk(content, name, recognition);
  const table = await readPartitionTable(content);
  const volumes = table ? table.partitions.slice(0, volumesMax).map((one) => slice(content, one.startBytes, one.sizeBytes)) : [content];
  const linux: ExtVolume[] = [];
  for (const volume of volumes) {
    const fileSystem = await readFileSystem(volume);
    if (fileSystem?.type === 'bitlocker') result.bitlocker = true;
    if (fileSystem?.type === 'luks') result.luks = true;
    if (fileSystem?.type === 'ntfs') result.windows = (await readWindows(volume)) ?? result.windows;
    const ext = fileSystem?.type === 'ext' ? await openExtVolume(volume) : null;
    if (ext) linux.push(ext);
  }
  result.startUp = await readStartUpDrivers(linux);
  return result;
}

async function readWindows(volume: ByteSource): Promise<DiskContent['windows']> {
  const ntfs = await openNtfs(volume);
  const root = await ntfs?.list();
  if (!ntfs || !root?.has('windows')) return null;
  const drivers = await ntfs.list('windows', 'system32', 'drivers');
  const sleep = root.has('hiberfil.sys') ? ((await ntfs.head('hiberfil.sys', 4))?.toString('latin1').toLowerCase() ?? '') : '';
  return {
    dirty: await ntfs.dirty(),
    // "wake" and zeros are left of a sleep that is over.
    asleep: sleep === 'hibr' || sleep === 'rstr',
    virtio: drivers && {
      storage: drivers.has('viostor.sys') || drivers.has('vioscsi.sys'),
      network: drivers.has('netkvm.sys'),
    },
  };
}

/** The findings that follow from the disks' content. */
export function contentFindings(contents: readonly DiskContent[], os: OsIdentity, tpm: boolean): MachineFinding[] {
  const findings: MachineFinding[] = [];
  const add = (id: string, severity: MachineFinding['severity'], title: string, text: string, action: string) =>
    findings.push({ id, severity, title, text, action });
  if (contents.some(({ bitlocker }) => bitlocker)) {
    add(
      'disk/bitlocker',
      'warning',
      'A disk is locked with BitLocker',
      'Its key is bound to the TPM of the old machine, which does not come along.',
      'The copy asks for the recovery key at its first start. Have it at hand, or run “manage-bde -protectors -disable C:” in the source first.',
    );
  }
  if (contents.some(({ luks }) => luks)) {
    add(
      'disk/luks',
      'info',
      'A disk is encrypted with LUKS',
      'What is in it cannot be looked at.',
      'It is copied as it is; the guest asks for its passphrase when it starts.',
    );
  }
  const windows = contents.map((content) => content.windows).find((one) => one !== null);
  if (windows?.asleep) {
    add(
      'windows/hibernated',
      'warning',
      'Windows sleeps on its disk (hibernation or fast startup)',
      'It would wake up on other hardware than it went to sleep on, and may lose what was not saved.',
      'Start the source once and shut it down whole: “shutdown /s /t 0”. Nothing is changed on the copy.',
    );
  }
  if (windows?.dirty) {
    add(
      'windows/dirty',
      'warning',
      'The Windows volume was not closed',
      'The machine was running or was cut off when its disk was last written.',
      'Shut the source down and copy again if you can; otherwise Windows checks the volume when it starts.',
    );
  }
  if (os.family === 'windows') findings.push(virtioFinding(windows?.virtio ?? null));
  if (tpm) {
    add(
      'machine/tpm',
      'info',
      'The machine has a TPM',
      'What is stored in a TPM cannot be taken out of the old one.',
      'The guest gets a new, empty TPM.',
    );
  }
  if (contents.length > 0 && contents.every(({ report }) => report === null)) {
    add(
      'disk/unread',
      'info',
      'What is on the disks could not be read',
      'Their format or file system is not understood here.',
      'They are copied all the same.',
    );
  }
  return findings;
}

function virtioFinding(virtio: { storage: boolean; network: boolean } | null): MachineFinding {
  const id = 'windows/virtio';
  const title = 'Drivers for fast disks and network (virtio)';
  if (!virtio) {
    return {
      id,
      severity: 'info',
      title,
      text: 'Whether Windows has them could not be seen.',
      action: 'It gets a SATA disk and an Intel network card, which it has drivers for.',
    };
  }
  if (virtio.storage && virtio.network) return { id, severity: 'ok', title, text: 'Windows has them.', action: 'Nothing needs doing.' };
  return {
    id,
    severity: 'info',
    title,
    text: virtio.storage ? 'Windows has the driver for disks, but not the one for the network.' : 'Windows does not have them.',
    action: 'It gets hardware that it has drivers for. Install virtio-win in it to make it faster.',
  };
}

/** A disk that cannot be imported, as a finding. */
export function diskProblem(failure: Failure): MachineFinding {
  const { message, hint } = failure.error;
  return {
    id: 'disk/unusable',
    severity: 'problem',
    title: 'A disk cannot be imported',
    text: message,
    action: hint ?? 'Nothing is copied.',
  };
}
