/** Screen, SPICE and sound. */
import type { GuestSpec } from '../../../../../contract/guest-spec.ts';
import { hasScreen, type LaunchFacts } from './launch-facts.ts';
import { device, option } from './option.ts';

/**
 * The console is drawn on this very computer: uncompressed bitmaps cost it no decoding, a Unix socket carries them at memory speed, and video
 * streams and the wide-area codecs lose pixels. Sound stays compressed, since Opus is what the console plays.
 */
const spiceQuality = {
  'image-compression': 'off',
  'jpeg-wan-compression': 'never',
  'zlib-glz-wan-compression': 'never',
  'streaming-video': 'off',
};

export function screenArguments(spec: GuestSpec, { files }: LaunchFacts): string[] {
  if (!hasScreen(spec)) return ['-display', 'none', ...soundArguments(spec, 'none')];
  return [
    '-display',
    'none',
    '-spice',
    option(null, {
      unix: true,
      addr: files.spice,
      // The socket lies in a folder that only its owner can enter: a ticket would protect nothing more.
      'disable-ticketing': true,
      ...spiceQuality,
      'seamless-migration': true,
      'agent-mouse': true,
    }),
    ...videoArguments(spec),
    ...soundArguments(spec, 'spice'),
  ];
}

/** Linux drives several heads of one card; Windows wants a QXL card for each. */
function videoArguments(spec: GuestSpec): string[] {
  const { device: kind, heads } = spec.display;
  const more = (driver: string, values: Record<string, number>) =>
    Array.from({ length: heads - 1 }, (_, index) => device(driver, { id: `video${index + 1}`, ...values })).flat();
  switch (kind) {
    case 'virtio':
      return device('virtio-vga', { id: 'video0', max_outputs: heads });
    case 'qxl': {
      // Enough for one 3840×2160 picture a head.
      const memory = { ram_size_mb: 128, vram_size_mb: 64, vgamem_mb: 32 };
      if (spec.os.family === 'windows') return [...device('qxl-vga', { id: 'video0', ...memory }), ...more('qxl', memory)];
      return device('qxl-vga', { id: 'video0', ...memory, max_outputs: heads });
    }
    case 'std':
      return [...device('VGA', { id: 'video0', vgamem_mb: 32 }), ...more('secondary-vga', { vgamem_mb: 32 })];
    case 'none':
      return [];
  }
}

function soundArguments(spec: GuestSpec, backend: 'spice' | 'none'): string[] {
  if (spec.sound === 'none') return [];
  const audiodev = ['-audiodev', option(backend, { id: 'audio0' })];
  if (spec.sound === 'ac97') return [...audiodev, ...device('AC97', { id: 'sound0', audiodev: 'audio0' })];
  return [
    ...audiodev,
    ...device('intel-hda', { id: 'sound0' }),
    ...device('hda-duplex', { id: 'sound0-codec', bus: 'sound0.0', audiodev: 'audio0' }),
  ];
}
