/**
 * Chromium's reading of pictures that a guest copied: what goes on to other programs is a PNG that was written here, in the sandbox, from
 * the pixels, and no file of the guest's making.
 */

import type { PictureReader } from '../agent/shared-clipboard.ts';
import { readJpegSize } from '../decoders/jpeg.ts';
import { checkPictureSize } from '../decoders/picture.ts';
import { SpiceError } from '../protocol/spice-error.ts';

export const readPictureWithPlatform: PictureReader = async (picture, mediaType) => {
  const { width, height } = sizeOf(picture, mediaType);
  checkPictureSize(width, height, 'copied picture');
  const image = await createImageBitmap(new Blob([picture], { type: mediaType }), { colorSpaceConversion: 'none' });
  try {
    if (image.width !== width || image.height !== height) throw new SpiceError('a copied picture came out of another size than it says');
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    if (!context) throw new SpiceError('there is no canvas to read a copied picture on');
    context.drawImage(image, 0, 0);
    return new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
  } finally {
    image.close();
  }
};

/** From the file's header, before anything is made of it. */
function sizeOf(picture: Uint8Array, mediaType: string): { width: number; height: number } {
  if (mediaType === 'image/jpeg') return readJpegSize(picture);
  if (picture.byteLength < 26) throw new SpiceError('a copied picture is cut short');
  const header = new DataView(picture.buffer, picture.byteOffset, picture.byteLength);
  const isPng = header.getUint32(0) === 0x89504e47;
  if (mediaType === 'image/png' ? !isPng : header.getUint16(0) !== 0x424d)
    throw new SpiceError('a copied picture is not what it is called');
  // IHDR always comes first in a PNG; the height of a BMP is negative where its rows go down.
  if (mediaType === 'image/png') return { width: header.getUint32(16), height: header.getUint32(20) };
  return { width: Math.abs(header.getInt32(18, true)), height: Math.abs(header.getInt32(22, true)) };
}
