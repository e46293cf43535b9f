/**
 * The disk of a Debian desktop with the agents that such a guest has: spice-vdagent, spice-webdavd, QEMU's guest agent, PulseAudio. Somebody is
 * logged in at its screen. It starts by itself, as the disk of a user's machine does. Kept in the cache, outside the tree.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../../build/places.ts';
import { runCommand } from '../../build/starter/commands.ts';
import { debianRelease, insideDebian, installDebian, tidyDebian, withSystemPath } from './debian-tree.ts';

const sectorBytes = 512;
const rootStart = 1024 * 1024;
const rootSizeMiB = 3071;
const packages = [
  ...['systemd-sysv', 'dbus', 'dbus-user-session', 'libpam-systemd', 'udev', 'kmod', 'procps', 'linux-image-amd64', 'initramfs-tools'],
  ...['grub-common', 'grub-pc-bin', 'qemu-guest-agent', 'spice-vdagent', 'spice-webdavd', 'pulseaudio', 'pulseaudio-utils', 'alsa-utils'],
  ...['xserver-xorg-core', 'xserver-xorg-video-qxl', 'xserver-xorg-input-libinput', 'xinit', 'xfonts-base', 'x11-xserver-utils'],
  ...['x11-xkb-utils', 'openbox', 'xterm', 'x11-apps', 'x11-utils', 'xdotool', 'xclip', 'curl', 'davfs2'],
];

const files: Record<string, string> = {
  'etc/fstab': 'LABEL=desktop / ext4 rw 0 1\n',
  'etc/hostname': 'agents\n',
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
  'etc/default/locale': 'LANG=C.UTF-8\n',
  // Without a guess what it starts from, which is not this computer. Every byte of it is read by the BIOS under emulation.
  'etc/initramfs-tools/conf.d/list': 'MODULES=list\nRESUME=none\n',
  'etc/initramfs-tools/modules': 'virtio_pci\nvirtio_blk\nvirtio_scsi\nahci\nsd_mod\next4\n',
  'etc/systemd/system/getty@tty1.service.d/login.conf': `[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin someone --noclear %I linux
`,
  'home/someone/.profile': 'test "$(tty)" = /dev/tty1 && exec xinit ~/session -- :0 vt1 -keeptty -nolisten tcp -s 0 >~/session.log 2>&1\n',
  'home/someone/.config/user-dirs.dirs': 'XDG_DOWNLOAD_DIR="$HOME/Downloads"\n',
  'home/someone/session': `#!/bin/sh
xset s off
xset -b
xsetroot -solid '#35506b'
./takes-sizes &
spice-vdagent
# A window that comes while it starts is lost to it.
exec openbox --startup 'xterm -geometry 80x24+40+60 -title Terminal -e bash --norc'
`,
  // What the settings of a whole desktop do: the card says which sizes are wanted, and nothing else in an X server heeds that.
  'home/someone/takes-sizes': `#!/bin/bash
takes() {
  local wanted=() before= name state rest
  while read -r name state rest; do
    if [ "$state" = connected ]; then
      wanted+=(--output "$name" --preferred)
      [ -n "$before" ] && wanted+=(--right-of "$before")
      before=$name
    elif [ "$state" = disconnected ]; then wanted+=(--output "$name" --off); fi
  done < <(xrandr | grep connected)
  xrandr "\${wanted[@]}"
}
takes
xev -root -event randr | while read -r line; do
  case $line in *RRScreenChangeNotify*|*RRNotify_OutputChange*)
    while read -r -t 0.3 line; do :; done
    takes ;;
  esac
done
`,
};

/** GRUB's core asks nothing and starts this. */
const startUp = `search --no-floppy --label --set=root desktop
linux /vmlinuz root=LABEL=desktop rw quiet cryptomgr.notests init_on_alloc=0 no_timer_check vt.global_cursor_default=0 systemd.gpt_auto=0
initrd /initrd.img
boot
`;

/**
 * The disk, raw. When it is not in the cache that takes some minutes and 250 MB of Debian's packages, and has to be done as root. Never written
 * to. Throws an Error that says what is missing.
 */
export async function agentsDisk(log: (line: string) => void): Promise<string> {
  const recipe = createHash('sha256').update(JSON.stringify([debianRelease, rootSizeMiB, packages, files, startUp]));
  const fixtures = join(cacheDirectory(), 'test-fixtures');
  const disk = join(fixtures, `agents-${recipe.digest('hex').slice(0, 16)}.img`);
  if (existsSync(disk)) return disk;
  const scratch = join(fixtures, `building-${randomUUID()}`);
  const root = join(scratch, 'root');
  try {
    await mkdir(scratch, { recursive: true });
    await installDebian(root, packages, log);
    await insideDebian(root, 'useradd --create-home --shell /bin/bash --groups audio,video,input someone && mkdir /home/someone/Downloads');
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(root, path, '..'), { recursive: true });
      await writeFile(join(root, path), text);
    }
    for (const program of ['session', 'takes-sizes']) await chmod(join(root, 'home/someone', program), 0o755);
    await insideDebian(root, 'chown -R someone: /home/someone && update-initramfs -u');
    await tidyDebian(root);
    log('The disk is written…');
    const half = join(scratch, 'disk.img');
    const options = ['-q', '-t', 'ext4', '-L', 'desktop', '-E', `offset=${rootStart}`, '-d', root];
    await runCommand('mke2fs', [...options, half, `${rootSizeMiB}M`], withSystemPath);
    await makeBootable(half, root);
    await rename(half, disk);
    return disk;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** GRUB, for a BIOS, between the start of the disk and its only partition. */
async function makeBootable(image: string, root: string): Promise<void> {
  const grub = join(root, 'usr/lib/grub/i386-pc');
  await writeFile(join(root, 'tmp/grub.cfg'), startUp);
  const modules = 'biosdisk part_msdos ext2 search search_label linux';
  await insideDebian(root, `grub-mkimage -O i386-pc -c /tmp/grub.cfg -p / -o /tmp/core.img ${modules}`);
  const core = await readFile(join(root, 'tmp/core.img'));
  if (core.length + sectorBytes > rootStart) throw new Error('GRUB is too large for the gap before the partition.');
  const record = Buffer.alloc(sectorBytes);
  (await readFile(join(grub, 'boot.img'))).copy(record, 0, 0, 440);
  // As grub-install does: a jump that trusts the BIOS to name a floppy drive becomes two no-operations.
  record.writeUInt16LE(0x9090, 0x66);
  record.set([0x80, 0xfe, 0xff, 0xff, 0x83, 0xfe, 0xff, 0xff], 446);
  record.writeUInt32LE(rootStart / sectorBytes, 454);
  record.writeUInt32LE((rootSizeMiB * 1024 * 1024) / sectorBytes, 458);
  record.writeUInt16LE(0xaa55, 510);
  const file = await open(image, 'r+');
  try {
    await file.truncate(rootStart + rootSizeMiB * 1024 * 1024);
    await file.write(record, 0, record.length, 0);
    await file.write(core, 0, core.length, sectorBytes);
  } finally {
    await file.close();
  }
}
