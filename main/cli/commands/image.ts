/** `guesthouse image …`: the media from which guests are made. */
import { resolve } from 'node:path';
import type { Image } from '../../../contract/image.ts';
import { type CommandGroup, findImage } from '../context.ts';
import { followJob } from '../job-progress.ts';
import { facts, show, type Terminal, table } from '../terminal.ts';
import { bytes, localTime } from '../units.ts';
import { addImageDownload } from './image-download.ts';

export const addImage: CommandGroup = (program, context) => {
  const { terminal, engine } = context;
  const group = program.command('image').description('list, import, download, show or delete images');

  group
    .command('list')
    .description('list the images')
    .action(async () => {
      const client = await engine();
      show(terminal, await client.call('image.list', {}), (images) => listing(terminal, images));
    });

  group
    .command('import')
    .description('copy an ISO or a disk image into the store')
    .argument('<file>')
    .option('--name <name>', 'what the image is called (default: what it is recognised as)')
    .action(async (file: string, options: { name?: string }) => {
      const client = await engine();
      const started = await client.call('image.import', { path: resolve(file), ...(options.name ? { name: options.name } : {}) });
      const job = await followJob(client, terminal, started.id);
      const image = (await client.call('image.list', {})).find(
        (candidate) => job.target.kind === 'image' && candidate.id === job.target.id,
      );
      if (image && !terminal.json) terminal.out(`${describe(image)}\n`);
    });

  addImageDownload(group, context);

  group
    .command('show')
    .description('show one image')
    .argument('<image>', 'name or id')
    .action(async (wanted: string) => {
      show(terminal, await findImage(await engine(), wanted), describe);
    });

  group
    .command('delete')
    .description('delete an image that no guest uses')
    .argument('<image>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const image = await findImage(client, wanted);
      show(terminal, await client.call('image.delete', { image: image.id }), () => `Deleted the image “${image.name}”.`);
    });
};

function listing(terminal: Terminal, images: readonly Image[]): string {
  if (images.length === 0) return 'There are no images. “guesthouse image import FILE” adds one.';
  return table(terminal, images, [
    { title: 'NAME', value: (image) => image.name },
    { title: 'KIND', value: (image) => image.kind },
    { title: 'OS', value: (image) => image.os.name },
    { title: 'SIZE', value: (image) => bytes(image.sizeBytes), align: 'right' },
    { title: 'ID', value: (image) => image.id },
  ]);
}

function describe(image: Image): string {
  return facts([
    ['Name', image.name],
    ['Id', image.id],
    ['Kind', `${image.kind} (${image.format})`],
    ['Operating system', image.os.name],
    ['Firmware', image.firmware],
    ['Size', `${bytes(image.sizeBytes)} on disk, ${bytes(image.virtualSizeBytes)} for a guest`],
    ['Label', image.label],
    ['SHA-256', image.sha256],
    ['Source', image.source],
    ['Added', `${localTime(image.addedAt)} by ${image.addedBy}`],
    ['Used by', image.usedBy.length > 0 ? image.usedBy.join(', ') : null],
  ]);
}
