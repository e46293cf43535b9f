/** `guesthouse image …`: the media from which guests are made. What is known of them across is in image-catalogue.ts. */
import { resolve } from 'node:path';
import type { Image } from '../../../contract/image.ts';
import { type CommandGroup, findImage } from '../context.ts';
import { describeImage, listImages } from '../image-text.ts';
import { followJob } from '../job-progress.ts';
import { show } from '../terminal.ts';
import { addImageCatalogue } from './image-catalogue.ts';
import { addImageDownload } from './image-download.ts';
import { addImageMove, addImageReclaim } from './storage.ts';

export const addImage: CommandGroup = (program, context) => {
  const { terminal, engine } = context;
  const group = program.command('image').description('list, search, import, download, describe or delete images');

  group
    .command('list')
    .description('list the images')
    .action(async () => {
      const client = await engine();
      show(terminal, await client.call('image.list', {}), (images) => listImages(terminal, images));
    });

  group
    .command('import')
    .description('copy an ISO, a disk image, or the disks of an OVA into the store')
    .argument('<file>')
    .option('--name <name>', 'what the image is called (default: what it is recognised as)')
    .action(async (file: string, options: { name?: string }) => {
      const client = await engine();
      const path = resolve(file);
      const started = await client.call('image.import', { path, ...(options.name ? { name: options.name } : {}) });
      const job = await followJob(client, terminal, started.id);
      // Each disk of a machine is an image, and says from which file of it.
      const isOf = ({ id, source }: Image) => id === job.target.id || (job.kind === 'image.importDisks' && source.startsWith(`${path}: `));
      const images = (await client.call('image.list', {})).filter(isOf);
      if (!terminal.json) terminal.out(images.map((image) => `${describeImage(image)}\n`).join('\n'));
    });

  addImageDownload(group, context);
  addImageReclaim(group, context);
  addImageMove(group, context);

  group
    .command('show')
    .description('show one image')
    .argument('<image>', 'name or id')
    .action(async (wanted: string) => {
      show(terminal, await findImage(await engine(), wanted), describeImage);
    });

  group
    .command('verify')
    .description('read an image again and hold it against its checksum; without one, all that disks build upon')
    .argument('[image]', 'name or id')
    .action(async (wanted?: string) => {
      const client = await engine();
      const image = wanted === undefined ? null : await findImage(client, wanted);
      await followJob(client, terminal, (await client.call('image.verify', image ? { image: image.id } : {})).id);
      if (!terminal.json) terminal.out(image ? `“${image.name}” is what was imported.\n` : 'All that disks build upon is what it was.\n');
    });

  group
    .command('delete')
    .description('delete an image that nothing depends on')
    .argument('<image>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const image = await findImage(client, wanted);
      show(terminal, await client.call('image.delete', { image: image.id }), () => `Deleted the image “${image.name}”.`);
    });

  addImageCatalogue(group, context);
};
