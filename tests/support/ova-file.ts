/** Machines as other products export them: a description, a manifest and packed disks in one archive. */
import { execFileSync } from 'node:child_process';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

/** A raw disk with a boot record, a Linux partition and some data. */
export async function bootableDisk(path: string, sizeMiB = 300, dataMiB = 3, pattern = 65): Promise<string> {
  run('qemu-img', 'create', '-q', '-f', 'raw', path, `${sizeMiB}M`);
  run('qemu-io', '-f', 'raw', '-c', `write -P ${pattern} 1M ${dataMiB}M`, path);
  const file = await open(path, 'r+');
  await file.write(Buffer.from([0xeb, 0x3c]), 0, 2, 0);
  await file.write(Buffer.from([0x80, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0x10, 0, 0]), 0, 16, 446);
  await file.write(Buffer.from([0x55, 0xaa]), 0, 2, 510);
  await file.close();
  return path;
}

/** The description of a Debian with these files as its disks. */
export function ovf(...files: string[]): string {
  const each = (one: (file: string, number: number) => string) => files.map((file, index) => one(file, index + 1)).join('');
  return `<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:r="x">
  <References>${each((file, number) => `<File ovf:href="${file}" ovf:id="file${number}"/>`)}</References>
  <DiskSection>${each((_, number) => `<Disk ovf:diskId="vmdisk${number}" ovf:fileRef="file${number}"/>`)}</DiskSection>
  <VirtualSystem ovf:id="web"><Name>Web server</Name>
    <OperatingSystemSection ovf:id="96"><Description>Debian 12 (64-bit)</Description></OperatingSystemSection>
    <VirtualHardwareSection>
      <Item><r:InstanceID>1</r:InstanceID><r:ResourceType>3</r:ResourceType><r:VirtualQuantity>1</r:VirtualQuantity></Item>
      <Item><r:InstanceID>2</r:InstanceID><r:ResourceType>4</r:ResourceType><r:VirtualQuantity>512</r:VirtualQuantity></Item>
      <Item><r:InstanceID>3</r:InstanceID><r:ResourceType>6</r:ResourceType><r:ResourceSubType>lsilogic</r:ResourceSubType></Item>
      ${each((_, number) => `<Item><r:InstanceID>${10 + number}</r:InstanceID><r:ResourceType>17</r:ResourceType><r:HostResource>ovf:/disk/vmdisk${number}</r:HostResource><r:Parent>3</r:Parent></Item>`)}
      <Item><r:InstanceID>5</r:InstanceID><r:ResourceType>10</r:ResourceType><r:ResourceSubType>VmxNet3</r:ResourceSubType></Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>`;
}

type OvaParts = { raw: string; path: string };
type OvaChange = {
  manifest?: 'wrong' | 'none';
  /** What the description calls its disk. */
  href?: string;
  dataMiB?: number;
  /** A second disk, with another content. */
  second?: boolean;
};

/** An archive as other products make it. `raw` is what its first disk holds, `raw2.img` beside it what the second does. */
export async function ova(folder: string, change: OvaChange = {}): Promise<OvaParts> {
  await mkdir(folder, { recursive: true });
  const raw = await bootableDisk(join(folder, 'raw.img'), 300, change.dataMiB ?? 3);
  const disks = [{ raw, file: 'web-disk1.vmdk' }];
  if (change.second) disks.push({ raw: await bootableDisk(join(folder, 'raw2.img'), 200, 5, 66), file: 'web-disk2.vmdk' });
  for (const disk of disks)
    run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', disk.raw, join(folder, disk.file));
  const files = disks.map(({ file }) => file);
  await writeFile(join(folder, 'web.ovf'), ovf(...(change.href ? [change.href] : files)));
  const hash = (file: string) => run('sha256sum', join(folder, file)).slice(0, 64);
  const lines = ['web.ovf', ...files].map((file) => {
    const hex = change.manifest === 'wrong' && file === files.at(-1) ? '0'.repeat(64) : hash(file);
    return `SHA256(${file})= ${hex}\n`;
  });
  await writeFile(join(folder, 'web.mf'), lines.join(''));
  const members = ['web.ovf', ...(change.manifest === 'none' ? [] : ['web.mf']), ...files];
  run('tar', '-C', folder, '--format=ustar', '-cf', join(folder, 'web.ova'), ...members);
  return { raw, path: join(folder, 'web.ova') };
}
