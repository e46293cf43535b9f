/** Debian, Ubuntu and what is made from them. */
import type { CatalogueEntry, SignatureRule } from '../catalogue-entry.ts';

const debian = { homepage: 'https://www.debian.org/', terms: 'https://www.debian.org/legal/licenses/' };
const debian13 = { id: 'debian13', name: 'Debian 13', family: 'linux', version: '13', distro: 'debian' } as const;
const debian12 = { id: 'debian12', name: 'Debian 12', family: 'linux', version: '12', distro: 'debian' } as const;
const debianCd = ['https://cdimage.debian.org/debian-cd/', 'https://mirrors.kernel.org/debian-cd/', 'https://ftp.fau.de/debian-cd/'];

const debianSigned = (place: string): SignatureRule => ({
  kind: 'openpgp',
  place,
  over: 'checksums',
  fingerprints: ['DF9B9C49EAA9298432589D76DA87E80D6294BE9B', '10460DAD76165AD81FBC0CE9988021A964E6EA7D'],
  keyrings: ['/usr/share/keyrings/debian-role-keys.gpg'],
});

const ubuntu = { homepage: 'https://ubuntu.com/', terms: 'https://ubuntu.com/legal/intellectual-property-policy' };
const ubuntuLts = { id: 'ubuntu24.04', name: 'Ubuntu 24.04 LTS', family: 'linux', version: '24.04', distro: 'ubuntu' } as const;
const ubuntuReleases = [
  'https://releases.ubuntu.com/',
  'https://mirrors.kernel.org/ubuntu-releases/',
  'https://ftp.fau.de/ubuntu-releases/',
];
/** Long-term releases come in April of even years. */
const ubuntuLtsFolder = 'href="(?<version>(?:2[468]|3[02468])\\.04)/"';

const ubuntuSigned: SignatureRule = {
  kind: 'openpgp',
  place: '{version}/SHA256SUMS.gpg',
  over: 'checksums',
  fingerprints: ['843938DF228D22F7B3742BC0D94AA3F0EFE21092'],
  keyrings: ['/usr/share/keyrings/ubuntu-archive-keyring.gpg'],
};

const ubuntuCloudSigned = (place: string): SignatureRule => ({
  kind: 'openpgp',
  place,
  over: 'checksums',
  fingerprints: ['D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81'],
  keyrings: ['/usr/share/keyrings/ubuntu-cloudimage-keyring.gpg'],
});

export const debianEntries: readonly CatalogueEntry[] = [
  {
    id: 'debian-netinst',
    name: 'Debian, network installer',
    summary: 'A small disc that installs the stable release from the net.',
    os: debian13,
    version: 'newest stable',
    architecture: 'x86_64',
    kind: 'installer',
    source: {
      kind: 'file',
      bases: debianCd,
      newest: [
        { page: 'current/amd64/iso-cd/SHA512SUMS', pattern: '^[0-9a-f]+ +(?<file>debian-(?<version>\\d[\\d.]*)-amd64-netinst\\.iso)$' },
      ],
      file: 'current/amd64/iso-cd/{file}',
      member: null,
      checksum: { kind: 'file', place: 'current/amd64/iso-cd/SHA512SUMS', algorithm: 'sha512' },
      signature: debianSigned('current/amd64/iso-cd/SHA512SUMS.sign'),
      approximateBytes: 790_000_000,
    },
    ...debian,
  },
  {
    id: 'debian-live-xfce',
    name: 'Debian live, Xfce desktop',
    summary: 'Runs without being installed, and installs itself when asked.',
    os: debian13,
    version: 'newest stable',
    architecture: 'x86_64',
    kind: 'live',
    source: {
      kind: 'file',
      bases: debianCd,
      newest: [
        {
          page: 'current-live/amd64/iso-hybrid/SHA512SUMS',
          pattern: '^[0-9a-f]+ +(?<file>debian-live-(?<version>\\d[\\d.]*)-amd64-xfce\\.iso)$',
        },
      ],
      file: 'current-live/amd64/iso-hybrid/{file}',
      member: null,
      checksum: { kind: 'file', place: 'current-live/amd64/iso-hybrid/SHA512SUMS', algorithm: 'sha512' },
      signature: debianSigned('current-live/amd64/iso-hybrid/SHA512SUMS.sign'),
      approximateBytes: 3_400_000_000,
    },
    ...debian,
  },
  {
    id: 'debian-12-netinst',
    name: 'Debian 12, network installer',
    summary: 'The release before the stable one, while it is still supported.',
    os: debian12,
    version: '12',
    architecture: 'x86_64',
    kind: 'installer',
    source: {
      kind: 'file',
      bases: ['https://cdimage.debian.org/cdimage/archive/'],
      newest: [{ page: '', pattern: 'href="(?<version>12\\.\\d+\\.\\d+)/"' }],
      file: '{version}/amd64/iso-cd/debian-{version}-amd64-netinst.iso',
      member: null,
      checksum: { kind: 'file', place: '{version}/amd64/iso-cd/SHA512SUMS', algorithm: 'sha512' },
      signature: debianSigned('{version}/amd64/iso-cd/SHA512SUMS.sign'),
      approximateBytes: 670_000_000,
    },
    ...debian,
  },
  {
    id: 'debian-cloud',
    name: 'Debian 13, cloud disk',
    summary: 'An installed system that takes its user and name from cloud-init.',
    os: debian13,
    version: '13',
    architecture: 'x86_64',
    kind: 'disk',
    source: {
      kind: 'file',
      bases: ['https://cloud.debian.org/images/cloud/', 'https://cdimage.debian.org/images/cloud/'],
      newest: [],
      file: 'trixie/latest/debian-13-generic-amd64.qcow2',
      member: null,
      checksum: { kind: 'file', place: 'trixie/latest/SHA512SUMS', algorithm: 'sha512' },
      signature: null,
      approximateBytes: 420_000_000,
    },
    ...debian,
  },
  {
    id: 'debian-12-cloud',
    name: 'Debian 12, cloud disk',
    summary: 'An installed system that takes its user and name from cloud-init.',
    os: debian12,
    version: '12',
    architecture: 'x86_64',
    kind: 'disk',
    source: {
      kind: 'file',
      bases: ['https://cloud.debian.org/images/cloud/', 'https://cdimage.debian.org/images/cloud/'],
      newest: [],
      file: 'bookworm/latest/debian-12-generic-amd64.qcow2',
      member: null,
      checksum: { kind: 'file', place: 'bookworm/latest/SHA512SUMS', algorithm: 'sha512' },
      signature: null,
      approximateBytes: 430_000_000,
    },
    ...debian,
  },
  {
    id: 'ubuntu-desktop',
    name: 'Ubuntu Desktop LTS',
    summary: 'The GNOME desktop of the newest long-term release, live and to install.',
    os: ubuntuLts,
    version: 'newest LTS',
    architecture: 'x86_64',
    kind: 'live',
    source: {
      kind: 'file',
      bases: ubuntuReleases,
      newest: [
        { page: '', pattern: ubuntuLtsFolder },
        { page: '{version}/SHA256SUMS', pattern: '^[0-9a-f]+ [ *](?<file>ubuntu-(?<point>[\\d.]+)-desktop-amd64\\.iso)$' },
      ],
      file: '{version}/{file}',
      member: null,
      checksum: { kind: 'file', place: '{version}/SHA256SUMS', algorithm: 'sha256' },
      signature: ubuntuSigned,
      approximateBytes: 6_300_000_000,
    },
    ...ubuntu,
  },
  {
    id: 'ubuntu-server',
    name: 'Ubuntu Server LTS',
    summary: 'The installer of the newest long-term release without a desktop.',
    os: ubuntuLts,
    version: 'newest LTS',
    architecture: 'x86_64',
    kind: 'installer',
    source: {
      kind: 'file',
      bases: ubuntuReleases,
      newest: [
        { page: '', pattern: ubuntuLtsFolder },
        { page: '{version}/SHA256SUMS', pattern: '^[0-9a-f]+ [ *](?<file>ubuntu-(?<point>[\\d.]+)-live-server-amd64\\.iso)$' },
      ],
      file: '{version}/{file}',
      member: null,
      checksum: { kind: 'file', place: '{version}/SHA256SUMS', algorithm: 'sha256' },
      signature: ubuntuSigned,
      approximateBytes: 3_300_000_000,
    },
    ...ubuntu,
  },
  {
    id: 'ubuntu-24.04-cloud',
    name: 'Ubuntu 24.04 LTS, cloud disk',
    summary: 'An installed system that takes its user and name from cloud-init.',
    os: ubuntuLts,
    version: '24.04',
    architecture: 'x86_64',
    kind: 'disk',
    source: {
      kind: 'file',
      bases: ['https://cloud-images.ubuntu.com/'],
      newest: [],
      file: 'noble/current/noble-server-cloudimg-amd64.img',
      member: null,
      checksum: { kind: 'file', place: 'noble/current/SHA256SUMS', algorithm: 'sha256' },
      signature: ubuntuCloudSigned('noble/current/SHA256SUMS.gpg'),
      approximateBytes: 620_000_000,
    },
    ...ubuntu,
  },
  {
    id: 'ubuntu-22.04-cloud',
    name: 'Ubuntu 22.04 LTS, cloud disk',
    summary: 'An installed system that takes its user and name from cloud-init.',
    os: { id: 'ubuntu22.04', name: 'Ubuntu 22.04 LTS', family: 'linux', version: '22.04', distro: 'ubuntu' },
    version: '22.04',
    architecture: 'x86_64',
    kind: 'disk',
    source: {
      kind: 'file',
      bases: ['https://cloud-images.ubuntu.com/'],
      newest: [],
      file: 'jammy/current/jammy-server-cloudimg-amd64.img',
      member: null,
      checksum: { kind: 'file', place: 'jammy/current/SHA256SUMS', algorithm: 'sha256' },
      signature: ubuntuCloudSigned('jammy/current/SHA256SUMS.gpg'),
      approximateBytes: 680_000_000,
    },
    ...ubuntu,
  },
  {
    id: 'kali-netinst',
    name: 'Kali Linux, network installer',
    summary: 'Tools for testing the security of systems, installed from the net.',
    os: { id: null, name: 'Kali Linux', family: 'linux', version: null, distro: 'kali' },
    version: 'newest',
    architecture: 'x86_64',
    kind: 'installer',
    source: {
      kind: 'file',
      bases: ['https://cdimage.kali.org/'],
      newest: [
        {
          page: 'current/SHA256SUMS',
          pattern: '^[0-9a-f]+ +(?<file>kali-linux-(?<version>\\d[\\d.]*[a-z]?)-installer-netinst-amd64\\.iso)$',
        },
      ],
      file: 'current/{file}',
      member: null,
      checksum: { kind: 'file', place: 'current/SHA256SUMS', algorithm: 'sha256' },
      signature: {
        kind: 'openpgp',
        place: 'current/SHA256SUMS.gpg',
        over: 'checksums',
        fingerprints: ['827C8569F2518CC677FECA1AED65462EC8D5E4C5', '44C6513A8E4FB3D30875F758ED444FF07D8D0BF6'],
        keyrings: ['/usr/share/keyrings/kali-archive-keyring.gpg'],
      },
      approximateBytes: 600_000_000,
    },
    homepage: 'https://www.kali.org/',
    terms: 'https://www.kali.org/docs/policy/',
  },
];
