/** What the words of another product for an operating system mean: "Debian_64", "windows11-64", "http://debian.org/debian/12". */
import type { OsIdentity } from '../../../contract/guest-spec.ts';
import type { OsRecognition, Recognition } from '../os/os-recognition.ts';

/** VMware counts Windows in its own way. */
const aliases: readonly [RegExp, string][] = [
  [/^windows9srv|^windows2016srv/i, 'Windows Server 2016'],
  [/^windows2019srv/i, 'Windows Server 2019'],
  [/^windows9/i, 'Windows 10'],
  [/^windows8srv/i, 'Windows Server 2012'],
  [/^windows7srv/i, 'Windows Server 2008 R2'],
];

const families: readonly [RegExp, OsIdentity['family'], string][] = [
  [/win(dows|nt|xp|vista|\d)/i, 'windows', 'Windows'],
  [/bsd/i, 'bsd', 'BSD'],
  [/darwin|macos/i, 'macos', 'macOS'],
  [/solaris|illumos/i, 'solaris', 'Solaris'],
  [/\bdos\b/i, 'dos', 'DOS'],
  [/linux|debian|ubuntu|fedora|rhel|redhat|centos|alma|rocky|suse|arch|gentoo|mint|alpine|oracle|photon/i, 'linux', 'Linux'],
];

export async function recogniseHint(hint: string, recognition: OsRecognition): Promise<Recognition> {
  const plain = hint
    .replace(/^https?:\/\/[^/]+\//, '')
    .replace(/[_-]?(x)?64(Guest|-bit)?$|Guest$/i, '')
    .replaceAll(/[/_]/g, ' ')
    .replace(/([a-z])(\d)/gi, '$1 $2')
    .trim();
  const name = aliases.find(([pattern]) => pattern.test(hint))?.[1] ?? plain;
  const shown = hint.slice(0, 100);
  const found = await recognition.recogniseFileName(`${name.replaceAll(' ', '-')}.img`);
  if (found.by !== null) return { os: found.os, by: `By what its description says: “${shown}”.` };
  const family = families.find(([pattern]) => pattern.test(name));
  if (!family) return { os: { id: null, name: 'Unknown', family: 'other', version: null, distro: null }, by: null };
  return {
    os: { id: null, name: family[2], family: family[1], version: null, distro: null },
    by: `By what its description says: “${shown}”.`,
  };
}
