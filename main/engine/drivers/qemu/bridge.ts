/** Whether a guest may be plugged into a bridge of this computer: QEMU's helper decides, by a list that the administrator keeps. */
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../../../contract/errors.ts';
import type { GuestSpec } from '../../../../contract/guest-spec.ts';

const helperPaths = ['/usr/lib/qemu/qemu-bridge-helper', '/usr/libexec/qemu-bridge-helper', '/usr/lib64/qemu/qemu-bridge-helper'];
const listPath = '/etc/qemu/bridge.conf';

export function findBridgeHelper(): string | null {
  return helperPaths.find((path) => existsSync(path)) ?? null;
}

/**
 * What the list says of `bridge`: the first line that names it (or all) decides, and what no line names is denied, as in QEMU's
 * qemu-bridge-helper.c. `read` gives the text of a file, or null when it cannot be read.
 */
export function isBridgeAllowed(bridge: string, listFile: string, read: (path: string) => string | null): boolean | null {
  const text = read(listFile);
  if (text === null) return null;
  for (const line of text.split('\n')) {
    const [word, value] = line.trim().split(/\s+/);
    if (word === undefined || value === undefined || word.startsWith('#')) continue;
    if (word === 'include') {
      const included = isBridgeAllowed(bridge, value.startsWith('/') ? value : join(dirname(listFile), value), read);
      if (included !== null) return included;
    }
    if (value !== bridge && value !== 'all') continue;
    if (word === 'allow') return true;
    if (word === 'deny') return false;
  }
  return null;
}

/** Why a guest cannot be plugged into `bridge` now, in a sentence with what to do about it; null when it can. */
export function bridgeProblem(bridge: string): { message: string; hint: string } | null {
  if (process.platform !== 'linux') return { message: 'Bridges are used on Linux only.', hint: 'Use the user-mode network.' };
  if (!existsSync(`/sys/class/net/${bridge}/bridge`)) {
    return {
      message: `This computer has no bridge ${bridge}.`,
      hint: `Make it first, with “ip link add ${bridge} type bridge” or your network settings.`,
    };
  }
  const helper = findBridgeHelper();
  if (!helper) return { message: 'QEMU’s bridge helper is not installed.', hint: 'On Debian it is in the package qemu-system-common.' };
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && (statSync(helper).mode & 0o4000) === 0) {
    return {
      message: 'QEMU’s bridge helper may not change the network, since it is not set-uid root.',
      hint: `An administrator allows it with “chmod u+s ${helper}”.`,
    };
  }
  if (isBridgeAllowed(bridge, listPath, readIfAllowed) !== true) {
    return {
      message: `${listPath} does not allow guests to use the bridge ${bridge}.`,
      hint: `An administrator allows it with the line “allow ${bridge}” in ${listPath}.`,
    };
  }
  return null;
}

/** @throws Failure `guest/bridge-denied` for the first card whose bridge cannot be used. */
export function checkBridges(spec: GuestSpec): void {
  for (const [index, nic] of spec.nics.entries()) {
    if (nic.mode !== 'bridge' || nic.bridge === null) continue;
    const problem = bridgeProblem(nic.bridge);
    if (problem) throw new Failure('guest/bridge-denied', problem.message, { hint: problem.hint, path: `nics.${index}.bridge` });
  }
}

function readIfAllowed(path: string): string | null {
  try {
    accessSync(path, constants.R_OK);
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
