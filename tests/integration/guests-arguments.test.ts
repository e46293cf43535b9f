/** Every golden command line is tried on the real QEMU: what it does not know or cannot put together ends it before its control socket answers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { buildArguments } from '../../main/engine/drivers/qemu/arguments/build-arguments.ts';
import { goldenFacts, goldenGuests } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import type { LaunchFacts, MediumFile } from '../../main/engine/drivers/qemu/arguments/launch-facts.ts';
import { bridgeProblem } from '../../main/engine/drivers/qemu/bridge.ts';
import { joinNetworks, leaveNetworks } from '../../main/engine/drivers/qemu/isolated-networks.ts';
import { planShares, startShare, stopShares } from '../../main/engine/drivers/qemu/shares.ts';
import { startTpm, stopTpm } from '../../main/engine/drivers/qemu/tpm.ts';
import { readExit, spawnWrapped } from '../../main/engine/drivers/qemu/wrapper.ts';
import { hugePagesMiB } from '../../main/engine/hardware/edit-checks.ts';
import { findVirtiofsd } from '../../main/engine/host/host-facts.ts';
import { QmpClient } from '../../main/engine/qmp/qmp-client.ts';
import { layoutIn } from '../support/guest-bench.ts';
import { until } from '../support/until.ts';

const firmware = '/usr/share/OVMF';
/** Follows the boot protocol of Linux. */
const memtestKernel = '/boot/memtest86+x64.bin';
/** One of the golden guests asks for more memory than a small machine wants to give 25 times, and none of it is touched. */
const guestMiB = 256;
const names = Object.keys(goldenGuests).filter((name) => name !== 'without-seccomp');

const hugePool = '/proc/sys/vm/nr_hugepages';
const hugeFreeMiB = () => hugePagesMiB(readFileSync('/proc/meminfo', 'utf8'));

/** Whether a guest's memory fits into huge pages; a pool is made for the test where that is allowed, and is as before afterwards. */
function reserveHugePages(): boolean {
  if (hugeFreeMiB() >= guestMiB) return true;
  const before = readFileSync(hugePool, 'utf8');
  try {
    // Of 2 MiB each, as everywhere on x86.
    writeFileSync(hugePool, String(Number(before) + guestMiB / 2 + 8));
  } catch {
    return false;
  }
  onTestFinished(() => writeFileSync(hugePool, before));
  return hugeFreeMiB() >= guestMiB;
}

/**
 * What runs a program in a network of its own, which is gone with it: there is nothing in it but a bridge that guests may use. Null where
 * that is not allowed.
 */
function networkWithBridge(bridge: string): string[] | null {
  const script = `
    set -e
    ip link add ${bridge} type bridge
    # The list of bridges that QEMU's helper reads, in a copy of /etc that only what runs in here sees.
    mount -t tmpfs tmpfs /mnt
    mkdir /mnt/upper /mnt/work
    mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
    mkdir -p /etc/qemu
    echo "allow ${bridge}" > /etc/qemu/bridge.conf
    exec "$@"`;
  const words = ['unshare', '--net', '--mount', 'sh', '-c', script, 'sh'];
  const [program = '', ...more] = [...words, 'true'];
  return spawnSync(program, more).status === 0 ? words : null;
}

test.for(names)('QEMU starts with the arguments of %s', async (name, context) => {
  const golden = goldenGuests[name];
  if (!golden) throw new Error(name);
  if (golden.spec.hugePages && !reserveHugePages()) context.skip('there is no pool of huge pages, and none may be made');
  const around = name === 'bridge' && bridgeProblem('br0') ? networkWithBridge('br0') : [];
  if (!around) return context.skip('guests may not use a bridge br0 here, and none may be made');
  const home = mkdtempSync('/tmp/gh-');
  const files = layoutIn(home).guest('gabcdefghi' as GuestId);
  mkdirSync(files.run, { recursive: true });
  mkdirSync(files.folder, { recursive: true });
  const wanted = goldenFacts(golden);
  const qemuImg = (format: string, path: string) => {
    mkdirSync(dirname(path), { recursive: true });
    execFileSync('qemu-img', ['create', '-q', '-f', format, path, '16M']);
  };
  const place = (map: ReadonlyMap<string, MediumFile>, formatOf: (id: string) => string) =>
    new Map(
      [...map.keys()].map((id) => {
        const path = join(home, `${id}, with comma.img`);
        qemuImg(formatOf(id), path);
        return [id, { path, hostDevice: false, bases: [] }] as const;
      }),
    );
  const spec = {
    ...golden.spec,
    memoryMiB: Math.min(golden.spec.memoryMiB, guestMiB),
    shares: golden.spec.shares.map((share) => ({ ...share, path: home })),
    nics: golden.spec.nics.map((nic) => ({ ...nic, forwards: nic.forwards.map((one) => ({ ...one, hostPort: one.hostPort + 20_000 })) })),
  };
  const secure = spec.firmware === 'uefi-secure' ? '.ms' : '';
  const vars = join(home, 'vars.fd');
  const { shares, daemon } = await planShares(spec, () => findVirtiofsd(process.env));
  const { seedDisc, firstStart } = wanted;
  const seedPath = join(home, 'seed.iso');
  if (seedDisc) qemuImg('raw', seedPath);
  const facts: LaunchFacts = {
    ...wanted,
    seedDisc: seedDisc && { ...seedDisc, path: seedPath },
    // Nothing of it runs; QEMU only wants a kernel that is one.
    firstStart: firstStart && { ...firstStart, kernel: memtestKernel, initrd: seedPath },
    shares,
    files,
    accelerator: 'tcg',
    disks: place(wanted.disks, (id) => spec.disks.find((disk) => disk.id === id)?.format ?? 'raw'),
    media: place(wanted.media, () => 'raw'),
    firmware: wanted.firmware && { codePath: `${firmware}/OVMF_CODE_4M${secure || ''}.fd`, varsTemplatePath: vars, format: 'raw' },
  };
  if (facts.firmware) execFileSync('cp', [`${firmware}/OVMF_VARS_4M${secure}.fd`, files.nvram]);
  try {
    if (spec.tpm) await startTpm('/usr/bin/swtpm', spec.name, files);
    await joinNetworks('qemu-system-x86_64', facts.id, spec.nics, files);
    for (const share of spec.shares) {
      if (daemon && shares.get(share.id) === 'virtiofs') await startShare(daemon, share, spec.name, files);
    }
    await spawnWrapped([...around, 'qemu-system-x86_64', ...buildArguments(spec, facts)], files.qemuLog, files.exit, files.folder);
    const said = () => execFileSync('cat', [files.qemuLog]).toString();
    const qmp = await until(`QEMU answers with ${name}`, () => {
      if (readExit(files.exit)) throw new Error(said());
      return QmpClient.connect(files.qmp).catch(() => null);
    });
    const { status } = await qmp.execute('query-status', {});
    expect(status).toBe(facts.incoming ? 'inmigrate' : 'prelaunch');
    expect((await qmp.execute('query-name', {})).name).toBe(spec.name);
    await qmp.execute('quit', {});
    await until('the exit status is written', () => readExit(files.exit));
    expect(readExit(files.exit)).toEqual({ exitStatus: 0, signal: null });
    expect(said()).not.toMatch(/warning|deprecated/i);
  } finally {
    await leaveNetworks(files);
    await stopShares(files);
    await stopTpm(files);
    rmSync(home, { recursive: true });
  }
});
