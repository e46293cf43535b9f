/** `guesthouse image search|edit|edit-all|undo|read|packages|searches|versions|rename-series|outdated|diff|capture`: what is known of images. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { Failure } from '../../../contract/errors.ts';
import { firmwareKind, type OsIdentity } from '../../../contract/guest-spec.ts';
import { imageArchitecture, imageLifecycle, readField } from '../../../contract/image.ts';
import { imageSort } from '../../../contract/image-catalogue.ts';
import { quoteValue } from '../../../contract/image-query.ts';
import type { EngineClient } from '../../client/engine-client.ts';
import { type Context, findGuest, findImage } from '../context.ts';
import { describeDifferences, describeImage, listImages, listPackages, listVersions } from '../image-text.ts';
import { followJob } from '../job-progress.ts';
import { printable, show, showLine, type Terminal, table } from '../terminal.ts';
import { localTime } from '../units.ts';
import { collect, wholeNumber } from '../values.ts';

export function addImageCatalogue(group: Command, context: Context): void {
  addSearch(group, context);
  addEdit(group, context);
  addEditAll(group, context);
  addSearches(group, context);
  addVersions(group, context);
  addCapture(group, context);

  const { terminal, engine } = context;
  group
    .command('read')
    .description('read an image again for its system, kernels and patch level')
    .argument('<image>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const { id } = await findImage(client, wanted);
      await followJob(client, terminal, (await client.call('image.readAgain', { image: id })).id);
      if (!terminal.json) terminal.out(`${describeImage(await findImage(client, id))}\n`);
    });

  group
    .command('packages')
    .description('list the packages of the system on an image')
    .argument('<image>', 'name or id')
    .argument('[text]', 'only those with this in their name')
    .action(async (wanted: string, text: string | undefined) => {
      const client = await engine();
      const image = await findImage(client, wanted);
      const all = await client.call('image.packages', { image: image.id });
      const packages = all?.filter(({ name }) => text === undefined || name.toLowerCase().includes(text.toLowerCase())) ?? null;
      show(terminal, packages, (found) => {
        if (found === null) return `The packages of “${image.name}” are not known. “guesthouse image read” reads the image again.`;
        return found.length === 0 ? 'No package fits.' : listPackages(terminal, found);
      });
    });

  group
    .command('diff')
    .description('say in what two images differ')
    .argument('<image>', 'name or id')
    .argument('<other>', 'name or id')
    .option('--content', 'compare what is on the disks as well, which reads both')
    .action(async (wanted: string, against: string, options: { content?: boolean }) => {
      const client = await engine();
      const [one, other] = [await findImage(client, wanted), await findImage(client, against)];
      if (options.content) {
        const { id } = await client.call('image.compare', { one: one.id, other: other.id });
        // The lines of its progress would mix with the answer.
        await followJob(client, terminal.json ? { ...terminal, out: () => undefined } : terminal, id);
      }
      const differences = await client.call('image.differences', { one: one.id, other: other.id });
      show(terminal, differences, (found) => describeDifferences(terminal, one, other, found));
    });
}

function addSearch(group: Command, { terminal, engine }: Context): void {
  group
    .command('search')
    .description('find images: words, and fields such as os:debian version:>=12 patched:<2026-06 -tag:old')
    .argument('[query...]', 'see the guide for all fields; quote < and > for the shell')
    .addOption(new Option('--sort <by>', 'the order').choices(imageSort.options).default('name'))
    .option('--descending', 'the other way round')
    .option('--limit <n>', 'how many at most', wholeNumber(1, 1000), 100)
    .option('--saved <name>', 'begin with a saved search')
    .action(async (words: string[], options: SearchOptions) => {
      const client = await engine();
      const saved = options.saved === undefined ? '' : (await findSaved(client, options.saved)).query;
      const { sort, limit, descending = false } = options;
      const query = [saved, ...words].filter(Boolean).join(' ');
      const found = await client.call('image.search', { query, sort, descending, limit });
      show(terminal, found, ({ images, total }) => {
        if (total === 0) return 'No image fits.';
        const rest = total > images.length ? `\n\n${total - images.length} more; --limit shows up to 1000.` : '';
        return `${listImages(terminal, images)}${rest}`;
      });
    });
}

type SearchOptions = { sort: (typeof imageSort.options)[number]; descending?: boolean; limit: number; saved?: string };

type EditOptions = {
  name?: string;
  os?: string;
  architecture?: string;
  firmware?: string;
  patchLevel?: string;
  endOfLife?: string;
  url?: string;
  checksum?: string;
  notes?: string;
  tag?: string[];
  untag?: string[];
  lifecycle?: string;
  series?: string;
  seriesVersion?: number;
  change?: string;
  asRead?: string[];
};

/** What takes a value away: every field that can be unknown. */
const nothing = 'none';
const orNone = (text: string | undefined): string | null | undefined => (text === nothing ? null : text);

function addEdit(group: Command, { terminal, engine }: Context): void {
  group
    .command('edit')
    .description('write what is known of an image; “none” takes a value away')
    .argument('<image>', 'name or id')
    .option('--name <name>', 'what it is called')
    .option('--os <system>', 'its operating system: a name or short id of libosinfo, or any other name')
    .addOption(new Option('--architecture <name>', 'processor that it is made for').choices([...imageArchitecture.options, nothing]))
    .addOption(new Option('--firmware <kind>', 'firmware that it boots with').choices(firmwareKind.options))
    .option('--patch-level <day>', 'up to when it has its updates: 2026-06 or 2026-06-17')
    .option('--end-of-life <day>', 'the day after which it gets none')
    .option('--url <address>', 'where it can be had')
    .option('--checksum <digits>', 'what its maker says its checksum is')
    .option('--notes <text>', 'notes, in place of those that it has')
    .option('--tag <tag>', 'add a tag (can be repeated)', collect)
    .option('--untag <tag>', 'take a tag away (can be repeated)', collect)
    .addOption(new Option('--lifecycle <state>', 'draft, published or deprecated').choices(imageLifecycle.options))
    .option('--series <name>', 'the series that it is a version of')
    .option('--series-version <number>', 'which version of it (default: the next)', wholeNumber(1, 1_000_000))
    .option('--change <note>', 'what is new in this version')
    .option('--as-read <field>', `again what was read: ${readField.options.join(', ')} (can be repeated)`, collectReadField)
    .action(async (wanted: string, options: EditOptions) => {
      const client = await engine();
      const image = await findImage(client, wanted);
      const gone = new Set(options.untag?.map((tag) => tag.toLowerCase()));
      const tags =
        options.tag || options.untag ? [...image.tags.filter((tag) => !gone.has(tag.toLowerCase())), ...(options.tag ?? [])] : undefined;
      const changes = {
        name: options.name,
        os: options.os === undefined ? undefined : await identify(client, options.os, image.os),
        architecture: orNone(options.architecture),
        firmware: options.firmware,
        patchLevel: orNone(options.patchLevel),
        endOfLife: orNone(options.endOfLife),
        sourceUrl: orNone(options.url),
        sourceChecksum: orNone(options.checksum),
        notes: options.notes,
        tags,
        lifecycle: options.lifecycle,
        series: seriesOf(options, image.series?.name),
        asRead: options.asRead,
      };
      const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
      if (Object.keys(given).length === 0) {
        throw nothingSaid('image edit');
      }
      // Commander has checked the choices; the engine checks all of it again.
      show(terminal, await client.call('image.edit', { image: image.id, ...given }), describeImage);
    });
}

function nothingSaid(command: string): Failure {
  return new Failure('call/invalid-input', 'Nothing was said that should be changed.', { hint: `See “guesthouse ${command} --help”.` });
}

function seriesOf(
  { series, seriesVersion, change }: Pick<EditOptions, 'series' | 'seriesVersion' | 'change'>,
  present: string | undefined,
) {
  if (series === nothing) return null;
  const name = series ?? present;
  if (series === undefined && seriesVersion === undefined && change === undefined) return undefined;
  if (name === undefined) {
    throw new Failure('call/invalid-input', 'The image is in no series, so it cannot have a version or a change note.', {
      hint: 'Name the series with --series.',
    });
  }
  return {
    name,
    ...(seriesVersion === undefined ? {} : { version: seriesVersion }),
    ...(change === undefined ? {} : { changeNote: change }),
  };
}

function collectReadField(text: string, before: string[] = []): string[] {
  if (!readField.options.some((field) => field === text)) throw new InvalidArgumentError(`Choose of ${readField.options.join(', ')}.`);
  return [...before, text];
}

/** A system that libosinfo knows by this id or name; of any other what its name says, of the family that the image had. */
async function identify(client: EngineClient, wanted: string, before: OsIdentity): Promise<OsIdentity> {
  const low = wanted.toLowerCase();
  const known = (await client.call('image.systems', {})).find(({ id, name }) => id === low || name.toLowerCase() === low);
  return known ?? { id: null, name: wanted, family: before.family, version: /\d[\w.]*/.exec(wanted)?.[0] ?? null, distro: null };
}

type EditAllOptions = {
  tag?: string[];
  untag?: string[];
  lifecycle?: (typeof imageLifecycle.options)[number];
  patchLevel?: string;
  endOfLife?: string;
  note?: string;
};

function addEditAll(group: Command, { terminal, engine }: Context): void {
  group
    .command('edit-all')
    .description('write the same into every image that a search finds: all of them, or none')
    .argument('<query...>', 'as of “image search”')
    .option('--tag <tag>', 'add a tag (can be repeated)', collect)
    .option('--untag <tag>', 'take a tag away (can be repeated)', collect)
    .addOption(new Option('--lifecycle <state>', 'draft, published or deprecated').choices(imageLifecycle.options))
    .option('--patch-level <day>', 'up to when they have their updates: 2026-06 or 2026-06-17; “none” takes it away')
    .option('--end-of-life <day>', 'the day after which they get none; “none” takes it away')
    .option('--note <text>', 'add a paragraph to the notes of each')
    .action(async (words: string[], { tag, untag, lifecycle, patchLevel, endOfLife, note }: EditAllOptions) => {
      const wanted = {
        addTags: tag,
        removeTags: untag,
        lifecycle,
        patchLevel: orNone(patchLevel),
        endOfLife: orNone(endOfLife),
        addNote: note,
      };
      const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
      if (Object.keys(given).length === 0) throw nothingSaid('image edit-all');
      const client = await engine();
      const { ids } = await client.call('image.search', { query: words.join(' '), limit: 0 });
      if (ids.length === 0) throw new Failure('image/not-found', 'No image fits.', { hint: 'See what “guesthouse image search” finds.' });
      show(terminal, await client.call('image.editMany', { images: ids, ...given }), describeEdited);
    });

  group
    .command('undo')
    .description('take back what was written into several images at once')
    .argument('[edit]', 'its number, as it was said then (default: the last)', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .action(async (edit: number | undefined) => {
      const client = await engine();
      show(terminal, await client.call('image.undoEdit', edit === undefined ? {} : { edit }), ({ restored, kept }) =>
        [`${countImages(restored)} as before.`, ...kept.map(({ name, reason }) => `“${name}” stays as it is: ${reason}`)].join('\n'),
      );
    });
}

const countImages = (count: number) => (count === 1 ? 'One image is' : `${count} images are`);

function describeEdited({ changed, edit }: { changed: number; edit: number | null }): string {
  if (edit === null) return 'Nothing had to be changed.';
  return `${countImages(changed)} changed. “guesthouse image undo ${edit}” takes it back.`;
}

function addSearches(group: Command, { terminal, engine }: Context): void {
  const searches = group.command('searches').description('list, save or delete searches');

  searches
    .command('list')
    .description('list the saved searches')
    .action(async () => {
      const client = await engine();
      show(terminal, await client.call('search.list', {}), (saved) =>
        saved.length === 0
          ? 'No search is saved. “guesthouse image searches save NAME QUERY” saves one.'
          : table(terminal, saved, [
              { title: 'NAME', value: ({ name }) => name },
              { title: 'QUERY', value: ({ query }) => query },
              { title: 'SAVED', value: ({ savedAt }) => localTime(savedAt) },
            ]),
      );
    });

  searches
    .command('save')
    .description('save a search; one of the same name is replaced')
    .argument('<name>')
    .argument('<query...>')
    .action(async (name: string, words: string[]) => {
      const client = await engine();
      show(
        terminal,
        await client.call('search.save', { name, query: words.join(' ') }),
        (saved) => `Saved “${saved.name}”: ${saved.query}`,
      );
    });

  searches
    .command('delete')
    .description('delete a saved search')
    .argument('<name>')
    .action(async (name: string) => {
      const client = await engine();
      show(terminal, await client.call('search.delete', { name }), () => `Deleted the saved search “${name}”.`);
    });
}

async function findSaved(client: EngineClient, wanted: string) {
  const saved = await client.call('search.list', {});
  const found = saved.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
  if (found) return found;
  throw new Failure('search/not-found', `There is no saved search “${wanted}”.`, {
    hint: 'See the list with “guesthouse image searches list”.',
  });
}

function addCapture(group: Command, { terminal, engine }: Context): void {
  group
    .command('capture')
    .description('make an image of the disk of a guest that is off')
    .argument('<guest>', 'name or id')
    .option('--name <name>', 'what the image is called (default: as the guest)')
    .option('--series <name>', 'the series that it is the next version of')
    .option('--change <note>', 'what is new in this version')
    .option('--draft', 'not yet for others: no guest becomes out of date by it')
    .action(async (wanted: string, options: { name?: string; series?: string; change?: string; draft?: boolean }) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const series = seriesOf(options, undefined);
      const started = await client.call('image.capture', {
        guest: guest.id,
        name: options.name ?? guest.spec.name,
        ...(series ? { series } : {}),
        ...(options.draft ? { lifecycle: 'draft' } : {}),
      });
      const { target } = await followJob(client, terminal, started.id);
      if (!terminal.json && target.id) terminal.out(`${describeImage(await findImage(client, target.id))}\n`);
    });
}

function addVersions(group: Command, { terminal, engine }: Context): void {
  group
    .command('versions')
    .description('list the versions of a series, newest first')
    .argument('<image>', 'name or id of an image, or the name of a series')
    .action(async (wanted: string) => {
      const client = await engine();
      const inSeries = (name: string) =>
        client.call('image.search', { query: `series:${quoteValue(name)}`, sort: 'version', descending: true, limit: 1000 });
      let { images } = await inSeries(wanted);
      if (images.length === 0) {
        const image = await findImage(client, wanted);
        images = image.series ? (await inSeries(image.series.name)).images : [image];
      }
      show(terminal, images, () => listVersions(terminal, images));
    });

  group
    .command('rename-series')
    .description('give all versions of a series another name')
    .argument('<series>', 'its name')
    .argument('<name>', 'the new one')
    .action(async (series: string, name: string) => {
      const client = await engine();
      show(terminal, await client.call('image.renameSeries', { series, name }), describeEdited);
    });

  group
    .command('outdated')
    .description('list the guests whose image has a newer version, and move those that can be to it')
    .option('--rebase', 'have all that hold no data of their own build upon the newest version')
    .action(async (options: { rebase?: boolean }) => {
      const client = await engine();
      if (options.rebase) return rebaseOutdated(client, terminal);
      show(terminal, await client.call('image.outdated', {}), (guests) =>
        guests.length === 0
          ? 'No guest is out of date.'
          : table(terminal, guests, [
              { title: 'GUEST', value: ({ name }) => name },
              { title: 'MADE FROM', value: ({ origin }) => `${origin.series?.name} ${origin.series?.version}` },
              { title: 'NEWEST', value: ({ origin }) => `${origin.newer?.version} (${origin.newer?.imageName})` },
              { title: 'CHANGE', value: ({ origin }) => origin.newer?.changeNote.split('\n')[0] ?? '' },
            ]),
      );
    });
}

/** Moves what can be moved, one after the other; what cannot is named with the reason. */
async function rebaseOutdated(client: EngineClient, terminal: Terminal): Promise<void> {
  const plan = await client.call('guest.planRebase', {}, { timeoutMs: 120_000 });
  const moved: typeof plan = [];
  for (const move of plan) {
    if (move.problem) continue;
    await followJob(client, terminal, (await client.call('guest.rebase', { guest: move.guest, image: move.to.imageId })).id);
    moved.push(move);
  }
  if (terminal.json) return showLine(terminal, { moved, kept: plan.filter(({ problem }) => problem !== null) });
  if (plan.length === 0) terminal.out('No guest is out of date.\n');
  for (const { name, to } of moved) terminal.out(`“${printable(name)}” builds upon “${printable(to.imageName)}”.\n`);
  for (const { name, problem } of plan) if (problem) terminal.out(`“${printable(name)}” stays as it is: ${printable(problem.message)}\n`);
}
