/**
 * Hosts whose https pages a page of ours may open in the user's browser: QEMU's and SPICE's, and the makers of the systems on the list of
 * downloads (`main/engine/downloads/catalogue.test.ts` sees that none of theirs is missing).
 */
export const outsideHosts: readonly string[] = [
  'www.qemu.org',
  'www.spice-space.org',
  'almalinux.org',
  'alpinelinux.org',
  'archlinux.org',
  'docs.fedoraproject.org',
  'en.opensuse.org',
  'fedoraproject.org',
  'github.com',
  'pkgs.alpinelinux.org',
  'reactos.org',
  'rockylinux.org',
  'terms.archlinux.org',
  'ubuntu.com',
  'virtio-win.github.io',
  'www.debian.org',
  'www.freebsd.org',
  'www.freedos.org',
  'www.haiku-os.org',
  'www.kali.org',
  'www.microsoft.com',
  'www.netbsd.org',
  'www.openbsd.org',
  'www.opensuse.org',
];
