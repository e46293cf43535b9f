import {
  siAlmalinux,
  siAlpinelinux,
  siArchlinux,
  siCentos,
  siDebian,
  siFedora,
  siFreebsd,
  siGentoo,
  siKalilinux,
  siLinux,
  siLinuxmint,
  siManjaro,
  siNetbsd,
  siNixos,
  siOpenbsd,
  siOpensuse,
  siRockylinux,
  siSlackware,
  siUbuntu,
  siVoidlinux,
} from 'simple-icons';
import type { OsIdentity } from '../../contract/guest-spec.ts';
import './OsLogo.css';

/**
 * Logos whose owners allow naming their system by them (simple-icons, CC0 drawings), by the distro's short id as libosinfo has it.
 * Systems whose owners do not (Windows, macOS, Red Hat) get a glyph of ours in the family's colour.
 */
const logos: readonly [pattern: RegExp, icon: { path: string; hex: string }][] = [
  [/^alma/, siAlmalinux],
  [/^alpine/, siAlpinelinux],
  [/^arch/, siArchlinux],
  [/^centos/, siCentos],
  [/^debian/, siDebian],
  [/^fedora/, siFedora],
  [/^freebsd/, siFreebsd],
  [/^gentoo/, siGentoo],
  [/^kali/, siKalilinux],
  [/^(linux)?mint/, siLinuxmint],
  [/^manjaro/, siManjaro],
  [/^netbsd/, siNetbsd],
  [/^nixos/, siNixos],
  [/^openbsd/, siOpenbsd],
  [/^opensuse/, siOpensuse],
  [/^rocky/, siRockylinux],
  [/^slackware/, siSlackware],
  [/^(x|k|l)?ubuntu/, siUbuntu],
  [/^void/, siVoidlinux],
];

/** Our own glyphs on a grid of 24. */
const drawn: Record<OsIdentity['family'], { path: string; hex: string }> = {
  linux: { path: siLinux.path, hex: '4d5a66' },
  windows: { path: 'M3 3h8.4v8.4H3zM12.6 3H21v8.4h-8.4zM3 12.6h8.4V21H3zM12.6 12.6H21V21h-8.4z', hex: '1767b5' },
  bsd: {
    path: 'M4 3c2 .2 3.6 1 4.7 2.300a8.5 8.5 0 0 1 6.6 0C16.4 4 18 3.2 20 3c-.2 2-.8 3.6-1.8 4.700A8.5 8.5 0 1 1 5.8 7.700C4.8 6.6 4.2 5 4 3z',
    hex: 'a3322b',
  },
  macos: { path: 'M4 4h16v11H4zM2.5 17h19l-1.5 3H4z', hex: '5a6570' },
  solaris: { path: 'M12 7a5 5 0 1 1 0 10 5 5 0 0 1 0-10zM11 1h2v4h-2zM11 19h2v4h-2zM1 11h4v2H1zM19 11h4v2h-4z', hex: 'b5620e' },
  dos: { path: 'M3 5l7 7-7 7v-4l3-3-3-3zM11 17h10v3H11z', hex: '3d4750' },
  other: { path: 'M3 4h18v12H3zM8 18h8v3H8zM6 7v6h12V7z', hex: '5a6570' },
};

function logoOf(os: OsIdentity): { path: string; hex: string } {
  for (const key of [os.distro, os.id]) {
    const found = key && logos.find(([pattern]) => pattern.test(key.toLowerCase()));
    if (found) return found[1];
  }
  return drawn[os.family];
}

/** The sign of an operating system. Decoration: its name always stands beside it. */
export function OsLogo({ os, size = 24 }: { os: OsIdentity; size?: 20 | 24 | 32 | 40 }) {
  const { path, hex } = logoOf(os);
  return (
    <span className="os-logo" style={{ width: size, height: size, background: `#${hex}` }} aria-hidden="true">
      <svg viewBox="0 0 24 24" width={size * 0.64} height={size * 0.64} fill={isLight(hex) ? '#10171c' : '#ffffff'} aria-hidden="true">
        <path d={path} />
      </svg>
    </span>
  );
}

function isLight(hex: string): boolean {
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  return red * 0.299 + green * 0.587 + blue * 0.114 > 165;
}
