/** `guesthouse guest usb|share|qmp|xml …`: what a guest has of this computer, and what experts ask. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { Failure } from '../../../contract/errors.ts';
import { type Share, share } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { HostUsbDevice } from '../../../contract/host.ts';
import { type Context, findGuest } from '../context.ts';
import { show, table } from '../terminal.ts';
import { deviceOf, edit } from './guest-hardware.ts';

export function addGuestSharing(group: Command, context: Context): void {
  addUsb(group.command('usb').description('give USB devices of this computer to guests'), context);
  addShare(group.command('share').description('share folders of this computer with guests'), context);
  addExpert(group, context);
}

function addUsb(group: Command, { terminal, engine }: Context): void {
  group
    .command('list')
    .description('list the USB devices that are plugged into this computer')
    .action(async () => {
      const devices = await (await engine()).call('host.usbDevices', {});
      show(terminal, devices, () =>
        devices.length === 0
          ? 'No USB device is plugged into this computer.'
          : table(terminal, devices, [
              { title: 'ID', value: (one) => `${one.vendorId}:${one.productId}` },
              { title: 'PORT', value: (one) => one.port },
              { title: 'NAME', value: (one) => one.name },
              { title: 'USABLE', value: (one) => one.problem ?? 'yes' },
            ]),
      );
    });
  group
    .command('attach')
    .description('give a guest a USB device, now and whenever it is plugged in')
    .argument('<guest>', 'name or id')
    .argument('<device>', 'VENDOR:PRODUCT such as 046d:c52b, or a port such as 1-2.1')
    .action(async (wanted: string, text: string) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const plugged = /^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$/.test(text) ? [] : await client.call('host.usbDevices', {});
      await edit(client, terminal, guest, { usbDevices: [...guest.spec.usbDevices, parseUsb(text, plugged)] });
    });
  group
    .command('detach')
    .description('take a USB device from a guest')
    .argument('<guest>', 'name or id')
    .argument('<device>', 'its id within the guest, such as usb0, or VENDOR:PRODUCT')
    .action(async (wanted: string, text: string) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const found = guest.spec.usbDevices.find((one) => `${one.vendorId}:${one.productId}` === text.toLowerCase());
      const { id } = found ?? deviceOf(guest, 'usbDevices', text);
      await edit(client, terminal, guest, { usbDevices: guest.spec.usbDevices.filter((one) => one.id !== id) });
    });
}

/** @throws Failure `call/invalid-input` for a port with nothing in it */
function parseUsb(text: string, plugged: readonly HostUsbDevice[]) {
  const [vendorId = '', productId = ''] = text.toLowerCase().split(':');
  if (/^[0-9a-f]{4}$/.test(vendorId) && /^[0-9a-f]{4}$/.test(productId)) return { vendorId, productId };
  const found = plugged.find(({ port }) => port === text);
  if (found) return { vendorId: found.vendorId, productId: found.productId, port: found.port };
  throw new Failure('call/invalid-input', `No USB device is plugged in at ${text}.`, { hint: '“guesthouse guest usb list” shows all.' });
}

function addShare(group: Command, { terminal, engine }: Context): void {
  group
    .command('add')
    .description('share a folder')
    .argument('<guest>', 'name or id')
    .argument('<folder>')
    .option('--tag <tag>', 'what the guest mounts it by (default: the folder’s name)')
    .option('--read-only', 'the guest may not write to it')
    .addOption(
      new Option('--via <way>', 'mounted by the guest’s kernel, or over its console for spice-webdavd').choices(share.shape.via.options),
    )
    .action(async (wanted: string, folder: string, options: { tag?: string; readOnly?: boolean; via?: Share['via'] }) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const one = {
        path: resolve(folder),
        ...(options.tag ? { tag: options.tag } : {}),
        ...(options.readOnly ? { readOnly: true } : {}),
        ...(options.via ? { via: options.via } : {}),
      };
      await edit(client, terminal, guest, { shares: [...guest.spec.shares, one] });
    });
  group
    .command('remove')
    .description('stop sharing a folder')
    .argument('<guest>', 'name or id')
    .argument('<share>', 'its id or its tag')
    .action(async (wanted: string, text: string) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const { id } = shareOf(guest, text);
      await edit(client, terminal, guest, { shares: guest.spec.shares.filter((one) => one.id !== id) });
    });
  group
    .command('list')
    .description('list the shared folders of a guest, with the commands that mount them in it or their addresses')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      show(terminal, await client.call('guest.shares', { guest: id }), (shares) =>
        shares.length === 0
          ? 'It shares no folder.'
          : shares
              .map(
                (one) =>
                  `${one.id}  ${one.path}${one.readOnly ? ' (read-only)' : ''}\n    ${one.command ?? (one.via === 'webdav' ? one.folder : one.tag)}`,
              )
              .join('\n'),
      );
    });
  group
    .command('mount')
    .description('mount a shared folder in a Linux guest, through its agent')
    .argument('<guest>', 'name or id')
    .argument('<share>', 'its id or its tag')
    .action(async (wanted: string, text: string) => {
      const client = await engine();
      const guest = await findGuest(client, wanted);
      const { id } = shareOf(guest, text);
      const answer = await client.call('guest.mountShare', { guest: guest.id, share: id }, { timeoutMs: 60_000 });
      show(terminal, answer, ({ folder }) => `Mounted at ${folder}.`);
    });
}

/** A share by its tag, else by its id. */
function shareOf(guest: Guest, wanted: string) {
  return guest.spec.shares.find(({ tag }) => tag === wanted) ?? deviceOf(guest, 'shares', wanted);
}

function addExpert(group: Command, { terminal, engine }: Context): void {
  group
    .command('xml')
    .description('print a guest as the XML of a libvirt domain')
    .argument('<guest>', 'name or id')
    .action(async (wanted: string) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      show(terminal, await client.call('guest.libvirtXml', { guest: id }), ({ xml }) => xml.trimEnd());
    });
  group
    .command('qmp')
    .description('ask the QEMU of a guest, in JSON; without --write only what changes nothing')
    .argument('<guest>', 'name or id')
    .argument('<command>', 'such as query-status')
    .argument('[arguments]', 'a JSON object', parseObject)
    .option('--write', 'unsafe: also commands that change something')
    .action(async (wanted: string, command: string, input: Record<string, unknown> | undefined, options: { write?: boolean }) => {
      const client = await engine();
      const { id } = await findGuest(client, wanted);
      const call = options.write ? 'guest.qmpCommand' : 'guest.qmpQuery';
      show(terminal, await client.call(call, { guest: id, command, ...(input ? { arguments: input } : {}) }), ({ answer }) =>
        JSON.stringify(answer, null, 2),
      );
    });
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('A JSON object is needed, such as {"path":"/machine"}.');
}
