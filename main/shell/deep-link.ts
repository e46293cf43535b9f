/** What the app is asked to open from outside: links, files, a second start. All of it is hostile until it was parsed. Pure. */
import { isAbsolute, resolve } from 'node:path';
import { guestId } from '../../contract/ids.ts';

/** A page to show, or something that cannot be opened with what to say about it. */
export type Opening = { kind: 'page'; path: string } | { kind: 'notice'; text: string; hint: string | null };

export const linkScheme = 'guesthouse';
const longestLink = 200;

/**
 * `guesthouse://library`, `guesthouse://guest/<id>` and `guesthouse://guest/<id>/console`; null for everything else. A link shows a page and
 * does nothing: what a stranger's web page can call must change nothing.
 */
export function parseLink(link: string): Opening | null {
  if (link.length > longestLink || !link.startsWith(`${linkScheme}://`) || !URL.canParse(link)) return null;
  const [place, id, view, ...rest] = link.slice(`${linkScheme}://`.length).replace(/\/$/, '').split('/');
  if (place === 'library' && id === undefined) return { kind: 'page', path: '/library' };
  if (place !== 'guest' || rest.length > 0) return null;
  const guest = guestId.safeParse(id);
  if (!guest.success) return null;
  if (view === undefined) return { kind: 'page', path: `/guests/${guest.data}` };
  return view === 'console' ? { kind: 'page', path: `/guests/${guest.data}/console` } : null;
}

/** What the words of a command line ask for: the first link or file among them. Options, the executable and the app's folder are none. */
export function openingFromArguments(words: readonly string[], workingDirectory: string): Opening | null {
  for (const word of words) {
    if (word.startsWith(`${linkScheme}:`)) {
      return parseLink(word) ?? { kind: 'notice', text: 'The link that was opened leads to nothing in Guesthouse.', hint: null };
    }
    if (word.startsWith('-') || word.includes('\0')) continue;
    const opening = openingFromFile(isAbsolute(word) ? word : resolve(workingDirectory, word));
    if (opening) return opening;
  }
  return null;
}

/** What opening a file means. A medium becomes a new guest; its path goes on to the page, which has the engine look at it. */
export function openingFromFile(path: string): Opening | null {
  if (/\.vv$/i.test(path)) {
    return {
      kind: 'notice',
      text: 'This file describes a remote desktop. Guesthouse cannot open remote desktops yet.',
      hint: 'Open it with virt-viewer.',
    };
  }
  if (/\.iso$/i.test(path)) return { kind: 'page', path: `/new/iso?path=${encodeURIComponent(path)}` };
  if (/\.(capsule|ova|ovf|vmx|vbox)$/i.test(path)) return { kind: 'page', path: `/import?path=${encodeURIComponent(path)}` };
  if (/\.(qcow2|img|raw)$/i.test(path)) return { kind: 'page', path: `/new/disk?path=${encodeURIComponent(path)}` };
  return null;
}
