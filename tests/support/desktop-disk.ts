/**
 * A Debian desktop for those tests that look at what its windows draw: Xorg with the drivers of all display devices, openbox, xterm, x11perf,
 * an image viewer and a video player, made with debootstrap. Kept in the cache, outside the tree.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../../build/places.ts';
import { runCommand } from '../../build/starter/commands.ts';
import { debianRelease, insideDebian, installDebian, tidyDebian, withSystemPath } from './debian-tree.ts';
import type { Pixels } from './png.ts';
import { photo, portablePixmap, screenBytes } from './test-photos.ts';

export type DesktopDisk = {
  /** The recipe's, for what is made of this disk. */
  hash: string;
  /** A bare ext4 file system, raw. Never written to. */
  disk: string;
  kernel: string;
  initrd: string;
};

const sizeMiB = 3072;
const packages = [
  ...['systemd-sysv', 'dbus', 'udev', 'kmod', 'procps', 'linux-image-amd64', 'initramfs-tools', 'qemu-guest-agent'],
  ...['xserver-xorg-core', 'xserver-xorg-video-qxl', 'xserver-xorg-input-libinput', 'xinit', 'xfonts-base', 'x11-xserver-utils'],
  ...['openbox', 'xterm', 'x11-apps', 'x11-utils', 'xdotool', 'feh', 'mpv'],
];

/** The size of the video in the guest's /root/video.bgr0, whose frames are raw: under emulation no decoder keeps up. */
export const desktopVideo = { widthPx: 320, heightPx: 240, frames: 48 };

/** The camera moves. */
export function desktopVideoPicture(frame: number): Pixels {
  return photo(desktopVideo.widthPx, desktopVideo.heightPx, 91, frame * 5, frame * 2);
}

const files: Record<string, string> = {
  'etc/fstab': '/dev/vda / ext4 rw 0 1\n',
  'etc/hostname': 'desktop\n',
  'etc/systemd/system/desktop.service': `[Unit]
Description=The desktop
After=systemd-user-sessions.service
[Service]
ExecStart=/usr/bin/xinit /root/session -- :0 vt7 -nolisten tcp -noreset -s 0 -dpms
Environment=HOME=/root
StandardOutput=file:/root/session.log
StandardError=inherit
[Install]
WantedBy=multi-user.target
`,
  'root/session': `#!/bin/sh
xset s off -dpms
xset -b
xsetroot -solid '#35506b'
openbox &
xterm -geometry 80x24+40+60 -title Terminal -e /root/terminal &
exec sleep infinity
`,
  // What a test writes into the pipe is done in the terminal, as if it had been typed there.
  'root/terminal': `#!/bin/bash
mkfifo -m 600 /root/orders
PS1='$ '
while :; do while read -r line; do eval "$line"; done < /root/orders; done
`,
};

/**
 * The disk. When it is not in the cache that takes some minutes and 250 MB of Debian's packages, and has to be done as root. Throws an Error
 * that says what is missing.
 */
export async function desktopDisk(log: (line: string) => void): Promise<DesktopDisk> {
  const recipe = createHash('sha256')
    .update(JSON.stringify([debianRelease, sizeMiB, packages, files, desktopVideo]))
    .update(photo(64, 64, 1).rgb);
  const hash = recipe.digest('hex').slice(0, 16);
  const fixtures = join(cacheDirectory(), 'test-fixtures');
  const folder = join(fixtures, `desktop-${hash}`);
  const made = { hash, disk: join(folder, 'disk.img'), kernel: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd') };
  if (existsSync(folder)) return made;
  const scratch = join(fixtures, `building-${randomUUID()}`);
  const root = join(scratch, 'root');
  const finished = join(scratch, 'finished');
  try {
    await mkdir(finished, { recursive: true });
    await installDebian(root, packages, log);
    await furnish(root);
    await insideDebian(root, 'systemctl enable desktop.service');
    await tidyDebian(root);
    for (const name of await readdir(join(root, 'boot'))) {
      if (name.startsWith('vmlinuz-')) await copyFile(join(root, 'boot', name), join(finished, 'vmlinuz'));
      if (name.startsWith('initrd.img-')) await copyFile(join(root, 'boot', name), join(finished, 'initrd'));
    }
    log('The disk is written…');
    await runCommand('mke2fs', ['-q', '-t', 'ext4', '-d', root, join(finished, 'disk.img'), `${sizeMiB}M`], withSystemPath);
    await rename(finished, folder);
    return made;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function furnish(root: string): Promise<void> {
  for (const [path, text] of Object.entries(files)) await writeFile(join(root, path), text);
  for (const program of ['root/session', 'root/terminal']) await chmod(join(root, program), 0o755);
  for (const [index, seed] of [5, 23].entries())
    await writeFile(join(root, `root/photo-${index + 1}.ppm`), portablePixmap(photo(640, 480, seed)));
  const pictures = Array.from({ length: desktopVideo.frames }, (_, frame) => screenBytes(desktopVideoPicture(frame)));
  await writeFile(join(root, 'root/video.bgr0'), Buffer.concat(pictures));
}
