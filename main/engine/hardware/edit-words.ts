/** What the event feed says of an edit. Pure. */
import { deviceLists, type SpecDifference } from '../../../contract/guest-hardware.ts';
import type { Words } from '../guests/guest-words.ts';

const nouns: Record<string, string> = {
  os: 'operating system',
  cpu: 'processors',
  cpuQuotaPercent: 'processor limit',
  memoryMiB: 'memory',
  memoryMaxMiB: 'room for memory',
  balloonTargetMiB: 'balloon',
  balloon: 'balloon',
  hugePages: 'huge pages',
  numaNodes: 'NUMA nodes',
  tpm: 'TPM',
  hypervEnlightenments: 'Hyper-V enlightenments',
  bootMenu: 'boot menu',
  usbTablet: 'USB tablet',
  rng: 'random numbers',
  panicDevice: 'panic device',
  serial: 'serial console',
  extraArguments: 'extra arguments',
};

/** "Debian: memory and disk1 were changed." */
export function changedWords(name: string, changes: readonly SpecDifference[], undone: boolean): Words {
  const things = [...new Set(changes.map(({ path }) => thingOf(path)))];
  const shown = things.length > 4 ? [...things.slice(0, 3), `${things.length - 3} more`] : things;
  const list = shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}` : (shown[0] ?? 'nothing');
  const end = undone ? 'back to what it was' : 'changed';
  return { severity: 'info', kind: 'guest.edited', text: `The hardware of ${name} is ${end}: ${list}.` };
}

function thingOf(path: string): string {
  const [field = '', id] = path.split('.');
  if ((deviceLists as readonly string[]).includes(field)) return id ?? field;
  return nouns[field] ?? field;
}
