/** What else is to be seen of a guest's hardware: its shares, and for experts its hypervisor and its libvirt XML. */
import { Failure } from '../../../contract/errors.ts';
import type { GuestSpec, Share, ShareProtocol } from '../../../contract/guest-spec.ts';
import type { GuestFiles, Layout } from '../files/layout.ts';
import type { Guests } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import type { Images } from '../images/images.ts';
import type { Hardware } from './hardware.ts';
import { buildDomainXml } from './libvirt-xml.ts';

type Views = Pick<Hardware, 'shares' | 'mountShare' | 'libvirtXml' | 'query' | 'command'>;
type Deps = { layout: Layout; guests: Guests; images: Pick<Images, 'show'>; host: HostCapabilities };

/** Where spice-webdavd listens in a guest. */
const webdavdAddress = 'http://localhost:9843';
const mountTimeoutSeconds = 30;
/** Commands that only tell; https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html */
const tells = /^(query-[a-z0-9-]+|qom-list|qom-list-types|qom-list-properties|qom-get|device-list-properties)$/;

export function createExpertViews({ layout, guests, images, host }: Deps): Views {
  const sharesOf: Views['shares'] = async (id) => {
    const spec = guests.runsWith(id) ?? guests.show(id).spec;
    const served = await guests.sharesOf(id);
    return spec.shares.map((share) => {
      const protocol = served.get(share.id) ?? (share.via === 'webdav' ? 'webdav' : '9p');
      if (protocol === 'webdav') return { ...share, protocol, folder: `${webdavdAddress}/${share.tag}/`, command: null };
      return { ...share, protocol, folder: folderOf(share), command: isLinux(spec) ? mountCommand(share, protocol) : null };
    });
  };
  return {
    shares: sharesOf,

    async mountShare(id, wanted) {
      const { spec } = guests.show(id);
      const share = (await sharesOf(id)).find((one) => one.id === wanted);
      if (!share)
        throw new Failure('guest/spec-invalid', `${spec.name} does not share a folder ${wanted} now.`, { hint: 'Start it again first.' });
      if (share.via === 'webdav') {
        throw new Failure('guest/denied', `${share.tag} goes over the console of ${spec.name} and is not mounted by its kernel.`, {
          hint: `Install spice-webdavd in the guest, keep its console open here, and open ${share.folder} in its file manager.`,
        });
      }
      if (share.command === null) {
        throw new Failure('guest/denied', `How ${spec.os.name} mounts a shared folder is its own affair.`, {
          hint: 'On Windows, install WinFsp and the virtio-fs service of virtio-win.',
        });
      }
      // Mounted already is as good.
      const script = `grep -q ' ${share.folder} ' /proc/mounts || { ${share.command}; }`;
      const { exitStatus, stderrBase64 } = await guests.exec(id, ['/bin/sh', '-c', script], mountTimeoutSeconds);
      if (exitStatus === 0) return { folder: share.folder };
      const said = Buffer.from(stderrBase64, 'base64').toString('utf8').slice(-500);
      throw new Failure('guest/agent-failed', `${spec.name} could not mount ${share.tag}.`, {
        hint: 'Its kernel needs the modules virtiofs, or 9p and 9pnet_virtio.',
        detail: said,
      });
    },

    async libvirtXml(id) {
      const { spec } = guests.show(id);
      const files = layout.guest(id);
      const xml = buildDomainXml(spec, {
        emulator: (await host.qemuFor(spec.architecture)).path,
        accelerator: await host.acceleratorFor(spec).catch(() => 'tcg' as const),
        firmware: await host.firmwareFor(spec.firmware, spec.architecture),
        nvram: files.nvram,
        paths: pathsOf(spec, files, images),
      });
      return { xml };
    },

    async query(id, command, argumentsOf) {
      if (!tells.test(command)) {
        throw new Failure('guest/denied', `${command} may change something, and only questions are allowed here.`, {
          hint: 'Allow commands that change the guest first.',
        });
      }
      return { answer: await guests.expert(id, command, argumentsOf) };
    },

    command: async (id, command, argumentsOf) => ({ answer: await guests.expert(id, command, argumentsOf) }),
  };
}

/** The tag has passed a schema that leaves it without a space or a quote. */
const folderOf = ({ tag }: Share): string => `/mnt/${tag}`;

function mountCommand(share: Share, protocol: ShareProtocol): string {
  const folder = folderOf(share);
  const how =
    protocol === 'virtiofs'
      ? `mount -t virtiofs ${share.tag} ${folder}`
      : `mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000${share.readOnly ? ',ro' : ''} ${share.tag} ${folder}`;
  return `mkdir -p ${folder} && ${how}`;
}

/** Of an unknown system it is tried: most that nobody recognises are some Linux. */
const isLinux = ({ os }: GuestSpec): boolean => os.family === 'linux' || os.family === 'other';

function pathsOf(spec: GuestSpec, files: GuestFiles, images: Deps['images']): Map<string, string> {
  const paths = new Map<string, string>();
  for (const { id, location } of spec.disks) paths.set(id, location.kind === 'store' ? files.disk(location.file) : location.path);
  for (const { id, medium } of spec.cdDrives) {
    if (medium?.kind === 'in-place') paths.set(id, medium.path);
    else if (medium) paths.set(id, images.show(medium.imageId).path);
  }
  return paths;
}
