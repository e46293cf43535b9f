/** What is asked of a guest's agent to learn its patch level, and how the answer is read. A guest may answer anything. */
import { noFacts, systemFacts } from '../../../contract/image.ts';
import type { GuestFacts } from '../../../contract/image-catalogue.ts';
import { parseOsRelease } from '../images/ext-reader.ts';
import { architectureIn, packageDatabases, patchedAt, sortKernels } from '../images/linux-facts.ts';

const databases = packageDatabases.map(({ path }) => `/${path}`).join(' ');

/** A line a fact; needs no more than a POSIX shell with the tools that are on every Linux. */
export const factsScript = [
  'echo "kernel $(uname -r)"; echo "machine $(uname -m)"',
  'for f in /lib/modules/*; do [ -d "$f" ] && echo "kernel $(basename "$f")"; done',
  `for f in ${databases}; do [ -e "$f" ] && echo "changed $(stat -c %Y "$f" 2>/dev/null || date -r "$f" +%s) $f"; done`,
  'dpkg-query -f ". \\n" -W 2>/dev/null | sed "s/^/dpkg /"; rpm -qa --qf ". \\n" 2>/dev/null | sed "s/^/rpm /"',
  'apk info -q 2>/dev/null | sed "s/.*/apk ./"; pacman -Qq 2>/dev/null | sed "s/.*/pacman ./"',
  'for f in /etc/os-release /usr/lib/os-release; do [ -r "$f" ] && sed "s/^/release /" "$f" && break; done; exit 0',
].join('\n');

/** Never throws: what makes no sense is not known. */
export function parseFacts(output: string, readAt: string): GuestFacts {
  const lines = output.slice(0, 1024 * 1024).split('\n');
  const after = (word: string) => lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1).trim());
  const release = parseOsRelease(after('release').join('\n'));
  const [changed] = after('changed')
    .map((text) => /^(\d{1,12}) \/(.+)$/.exec(text))
    .filter((match) => match !== null);
  const database = packageDatabases.find(({ path }) => path === changed?.[2]);
  const counted = database ? after(database.manager).length : 0;
  const facts = systemFacts.safeParse({
    architecture: architectureIn(after('machine')[0] ?? ''),
    kernels: sortKernels(after('kernel')),
    ...(database ? patchedAt(database.path, Number(changed?.[1])) : { patchLevel: null, patchLevelFrom: null }),
    packages: database ? { manager: database.manager, count: counted > 0 ? counted : null } : null,
  });
  return { ...(facts.success ? facts.data : noFacts), osName: release?.prettyName ?? null, readAt };
}
