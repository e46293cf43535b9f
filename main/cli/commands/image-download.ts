/** `guesthouse image download`: operating systems from the net. */
import type { Command } from 'commander';
import type { CallOutput } from '../../../contract/calls.ts';
import type { DownloadEntry, DownloadSource } from '../../../contract/download.ts';
import { Failure } from '../../../contract/errors.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import type { Context } from '../context.ts';
import { followJob } from '../job-progress.ts';
import { resolveName } from '../names.ts';
import { show, showLine, type Terminal, table } from '../terminal.ts';
import { bytes } from '../units.ts';

type Options = { sha256?: string; sha512?: string; name?: string; discard?: boolean };

export function addImageDownload(group: Command, { terminal, engine }: Context): void {
  group
    .command('download')
    .description('download an operating system into the library; what was begun is gone on with')
    .argument('[what]', 'an entry of the list, or an address; “list”, or nothing, shows the list', 'list')
    .option('--sha256 <digest>', 'for an address: what the file must be')
    .option('--sha512 <digest>', 'for an address: what the file must be')
    .option('--name <name>', 'what the image is called')
    .option('--discard', 'delete what is kept of a download that was not finished, instead of downloading')
    .action(async (what: string, options: Options) => {
      const client = await engine();
      const list = await client.call('download.list', {});
      if (what === 'list') return show(terminal, list, () => listing(terminal, list));
      if (options.discard) return discard(client, terminal, what, list);
      const source = sourceOf(what, options, list);
      const started = await client.call('download.start', { source, ...(options.name ? { name: options.name } : {}) });
      const job = await followJob(client, terminal, started.id);
      if (terminal.json) return;
      const after = await client.call('download.list', {});
      const entry = source.kind === 'entry' ? after.entries.find(({ id }) => id === source.entry) : null;
      const { name } = job.target;
      const image = (await client.call('image.list', {})).find(
        ({ id }) => id === (entry?.image?.id ?? (job.target.kind === 'image' ? job.target.id : null)),
      );
      terminal.out(`“${image?.name ?? name}” is in the library.\n`);
    });
}

type List = CallOutput<'download.list'>;

function isAddress(what: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(what);
}

function sourceOf(what: string, { sha256, sha512 }: Options, { entries, unfinished }: List): DownloadSource {
  if (isAddress(what)) return { kind: 'url', url: what, ...(sha256 ? { sha256 } : {}), ...(sha512 ? { sha512 } : {}) };
  if (sha256 || sha512)
    throw new Failure('call/invalid-input', 'A checksum can be given for an address only; entries of the list bring their own.');
  const kept = unfinished.find(({ title, key }) => title === what || key === what);
  if (kept) return { kind: 'unfinished', key: kept.key };
  return { kind: 'entry', entry: findEntry(what, entries).id };
}

function findEntry(what: string, entries: readonly DownloadEntry[]): DownloadEntry {
  try {
    return resolveName(entries, what, { noun: 'download', notFound: 'download/unknown', ambiguous: 'download/unknown' });
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const near = entries.filter(({ id }) => id.startsWith(what.toLowerCase())).map(({ id }) => id);
    throw new Failure('download/unknown', `The list of downloads has no “${what}”.`, {
      hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'See the list with “guesthouse image download list”.',
    });
  }
}

async function discard(client: EngineClient, terminal: Terminal, what: string, { entries, unfinished }: List): Promise<void> {
  const kept = [...unfinished, ...entries.flatMap((entry) => (entry.unfinished ? [entry.unfinished] : []))];
  const wanted = kept.find(({ key, entry, title, url }) => [key, entry, title, url].includes(what.split('?')[0] ?? what));
  if (!wanted)
    throw new Failure('download/not-unfinished', `Nothing is kept of a download “${what}”.`, {
      hint: 'See what is with “guesthouse image download list”.',
    });
  const done = await client.call('download.discard', { key: wanted.key });
  if (terminal.json) showLine(terminal, done);
  else terminal.out(`What was kept of “${wanted.title}” is deleted.\n`);
}

function listing(terminal: Terminal, { entries, unfinished }: List): string {
  const lines = table(terminal, entries, [
    { title: 'ENTRY', value: ({ id }) => id },
    { title: 'SIZE', value: ({ approximateBytes }) => (approximateBytes === null ? '' : bytes(approximateBytes)), align: 'right' },
    { title: 'STATE', value: stateOf },
    { title: 'WHAT', value: ({ name, version }) => `${name} (${version})` },
  ]);
  if (unfinished.length === 0) return lines;
  const rest = table(terminal, unfinished, [
    { title: 'UNFINISHED', value: ({ title }) => title },
    { title: 'DONE', value: ({ bytesDone }) => bytes(bytesDone), align: 'right' },
    { title: 'FROM', value: ({ url }) => url },
  ]);
  return `${lines}\n\n${rest}`;
}

function stateOf({ page, image, unfinished, job }: DownloadEntry): string {
  if (page !== null) return 'in the browser';
  if (job !== null) return 'downloading';
  if (unfinished) return `${bytes(unfinished.bytesDone)} done`;
  return image ? `in the library${image.version ? `, ${image.version}` : ''}` : '';
}
