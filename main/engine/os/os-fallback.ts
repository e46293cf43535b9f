/**
 * What is recognised without libosinfo's database, and releases that are newer than it: rules over the volume id of an ISO or a file's name.
 * Pure. Where the database knows the release by id, its resources are used all the same.
 */
import type { OsIdentity } from '../../../contract/guest-spec.ts';

type Rule = {
  /** Matched against the volume id; group 1 is the version. */
  volume?: RegExp;
  /** Matched against the file's name in lower case; group 1 is the version. */
  file?: RegExp;
  /** "%" stands for the version. */
  id: string;
  name: string;
  family: OsIdentity['family'];
  distro: string;
};

const linux = (distro: string, name: string, patterns: Pick<Rule, 'volume' | 'file'>, id = `${distro}%`): Rule => ({
  ...patterns,
  id,
  name: `${name} %`,
  family: 'linux',
  distro,
});

const windows = (version: string, patterns: Pick<Rule, 'volume' | 'file'>, id: string): Rule => ({
  ...patterns,
  id,
  name: `Windows ${version}`,
  family: 'windows',
  distro: 'win',
});

/** The first rule that matches wins. */
const rules: readonly Rule[] = [
  linux('debian', 'Debian', { volume: /^Debian (\d+)\.\d/i, file: /^debian-(\d+)/ }),
  linux('ubuntu', 'Ubuntu', {
    volume: /^(?:Ubuntu(?:-Server)?|Kubuntu|Xubuntu|Lubuntu) (\d\d\.\d\d)/i,
    file: /(?:^|[a-z])ubuntu[-_](\d\d\.\d\d)/,
  }),
  linux('fedora', 'Fedora', { volume: /^Fedora-.*?-(\d{2})(?:$|-)/i, file: /^fedora-.*?-(\d{2})(?=[-_.])/ }),
  linux('rhel', 'Red Hat Enterprise Linux', { volume: /^RHEL-(\d+)-/i, file: /^rhel-(\d+)/ }),
  linux('rocky', 'Rocky Linux', { volume: /^Rocky-(\d+)-/i, file: /^rocky-(\d+)/ }),
  linux('almalinux', 'AlmaLinux', { volume: /^AlmaLinux-(\d+)-/i, file: /^almalinux-(\d+)/ }),
  linux('centos-stream', 'CentOS Stream', { volume: /^CentOS-Stream-(\d+)/i, file: /^centos-stream-(\d+)/ }),
  linux('ol', 'Oracle Linux', { volume: /^OL-(\d+)-/i, file: /^oraclelinux-r(\d+)/ }),
  linux('alpinelinux', 'Alpine Linux', { volume: /^alpine-\S* ?(\d+\.\d+)/i, file: /^alpine-\D*(\d+\.\d+)/ }),
  linux('opensuse', 'openSUSE Leap', { volume: /^openSUSE-Leap-(\d+\.\d+)/i, file: /^opensuse-leap-(\d+\.\d+)/ }),
  {
    ...linux('opensuse', 'openSUSE Tumbleweed', { volume: /^openSUSE-Tumbleweed/i, file: /^opensuse-tumbleweed/ }, 'opensusetumbleweed'),
    name: 'openSUSE Tumbleweed',
  },
  linux('mint', 'Linux Mint', { volume: /^Linux Mint (\d+)/i, file: /^linuxmint-(\d+)/ }),
  linux('popos', 'Pop!_OS', { volume: /^Pop_OS (\d\d\.\d\d)/i, file: /^pop-os_(\d\d\.\d\d)/ }),
  linux('nixos', 'NixOS', { volume: /^nixos-.*?(\d\d\.\d\d)/i, file: /^(?:latest-)?nixos-.*?(\d\d\.\d\d)/ }),
  { ...linux('archlinux', 'Arch Linux', { volume: /^ARCH_\d{6}/i, file: /^archlinux-/ }, 'archlinux'), name: 'Arch Linux' },
  { ...linux('manjaro', 'Manjaro', { volume: /^MANJARO_/i, file: /^manjaro-/ }, 'manjaro'), name: 'Manjaro' },
  { ...linux('kali', 'Kali Linux', { volume: /^Kali /i, file: /^kali-linux-/ }, 'kali'), name: 'Kali Linux' },
  {
    ...linux('gentoo', 'Gentoo', { volume: /^(?:Gentoo|ISOIMAGE.*gentoo)/i, file: /^(?:install|livegui)-amd64-.*|^gentoo/ }, 'gentoo'),
    name: 'Gentoo Linux',
  },
  {
    ...linux(
      'debian',
      'Guesthouse starter',
      { volume: /^GUESTHOUSE_STARTER/i, file: /^(?:guesthouse-)?starter\.(?:iso|qcow2|img|raw)$/ },
      'guesthouse-starter',
    ),
    name: 'Guesthouse starter',
  },
  windows('11', { file: /win(?:dows)?[-_ ]?11/ }, 'win11'),
  windows('Server 2025', { file: /(?:server[-_ ]?2025|2025[-_ ]server)/ }, 'win2k25'),
  windows('Server 2022', { volume: /^SSS_X64FREE?_/, file: /(?:server[-_ ]?2022|2022[-_ ]server)/ }, 'win2k22'),
  windows('10', { file: /win(?:dows)?[-_ ]?10(?!\d)/ }, 'win10'),
  windows('11', { volume: /^(?:J_)?(?:CCSN?A|C?CCOMA|CPBA|CENA|CPRA)_X64FREE?/ }, 'win11'),
  windows('8.1', { file: /win(?:dows)?[-_ ]?8\.1/ }, 'win8.1'),
  windows('7', { volume: /^GRMC.*(?:FRER|FREO)_/, file: /win(?:dows)?[-_ ]?7(?!\d)/ }, 'win7'),
  windows('XP', { volume: /^(?:WXPFPP|WXPVOL|WXPOEM|GRTMP.*|VRMPVOL)_/, file: /win(?:dows)?[-_ ]?xp/ }, 'winxp'),
  windows('2000', { file: /win(?:dows)?[-_ ]?2000|win2k(?!\d)/ }, 'win2k'),
  windows('98', { file: /win(?:dows)?[-_ ]?98/ }, 'win98'),
  windows('95', { file: /win(?:dows)?[-_ ]?95/ }, 'win95'),
  {
    volume: /^(\d+_\d)[_-]RELEASE.*(?:AMD64|I386)/i,
    file: /^freebsd-(\d+\.\d)/,
    id: 'freebsd%',
    name: 'FreeBSD %',
    family: 'bsd',
    distro: 'freebsd',
  },
  {
    volume: /^OpenBSD\/\w+\s+(\d+\.\d)/i,
    file: /^openbsd-?(\d+\.\d)/,
    id: 'openbsd%',
    name: 'OpenBSD %',
    family: 'bsd',
    distro: 'openbsd',
  },
  { volume: /^NETBSD_(\d+)/i, file: /^netbsd-(\d+\.\d)/, id: 'netbsd%', name: 'NetBSD %', family: 'bsd', distro: 'netbsd' },
  {
    volume: /^DragonFly(?:_|-)?v?(\d+\.\d)/i,
    file: /^dfly-.*?(\d+\.\d)/,
    id: 'dragonflybsd%',
    name: 'DragonFly BSD %',
    family: 'bsd',
    distro: 'dragonflybsd',
  },
  { volume: /^haiku/i, file: /^haiku/, id: 'haiku', name: 'Haiku', family: 'other', distro: 'haiku' },
  { volume: /^ReactOS/i, file: /^reactos/, id: 'reactos', name: 'ReactOS', family: 'windows', distro: 'reactos' },
  {
    volume: /^(?:FD-SETUP|FDI-CD|FREEDOS|FD1\d)/i,
    file: /^(?:fd1\d|freedos)/,
    id: 'freedos',
    name: 'FreeDOS',
    family: 'dos',
    distro: 'freedos',
  },
  {
    volume: /^(?:OpenIndiana|OI_)/i,
    file: /^oi-|^openindiana/,
    id: 'openindiana',
    name: 'OpenIndiana',
    family: 'solaris',
    distro: 'openindiana',
  },
  {
    volume: /^(?:Install |OS ?X|Mac ?OS)/i,
    file: /^(?:install ?)?mac ?os|\bosx\b|macos/,
    id: 'macos',
    name: 'macOS',
    family: 'macos',
    distro: 'osx',
  },
  { volume: /^MT86/i, file: /^memtest86/, id: 'memtest86', name: 'Memtest86+', family: 'other', distro: 'memtest86' },
];

/** By the volume id of an ISO. */
export function recogniseByVolumeId(volumeId: string): OsIdentity | null {
  return firstMatch(volumeId, (rule) => rule.volume);
}

/** By a file's name: a guess, and said to be one. */
export function recogniseByFileName(fileName: string): OsIdentity | null {
  return firstMatch(fileName.toLowerCase(), (rule) => rule.file);
}

function firstMatch(subject: string, pattern: (rule: Rule) => RegExp | undefined): OsIdentity | null {
  for (const rule of rules) {
    const match = pattern(rule)?.exec(subject);
    if (!match) continue;
    const version = match[1]?.replace('_', '.') ?? fixedVersion(rule);
    const fill = (template: string) => template.replace('%', version ?? '').trim();
    return { id: fill(rule.id), name: fill(rule.name), family: rule.family, version, distro: rule.distro };
  }
  return null;
}

function fixedVersion(rule: Rule): string | null {
  return rule.family === 'windows' ? (/^Windows (?:Server )?(.+)$/.exec(rule.name)?.[1] ?? null) : null;
}
