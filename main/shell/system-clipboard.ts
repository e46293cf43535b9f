/** Writing to and reading from the clipboard, with the interface of the Electron at hand: it became asynchronous after the development runtime's release. */
import { ClipboardItem, clipboard, type NativeImage, nativeImage } from 'electron';
import { Failure } from '../../contract/errors.ts';

type OlderClipboard = { writeImage(image: NativeImage): void };

function isOlder(board: object): board is OlderClipboard {
  return 'writeImage' in board;
}

/** @throws Failure `call/invalid-input` when the bytes are no picture */
export async function copyPicture(png: Uint8Array): Promise<void> {
  const picture = nativeImage.createFromBuffer(Buffer.from(png));
  if (picture.isEmpty()) throw new Failure('call/invalid-input', 'The picture cannot be read.', { path: 'png' });
  if (isOlder(clipboard)) clipboard.writeImage(picture);
  else await clipboard.write([new ClipboardItem({ 'image/png': new Blob([new Uint8Array(png)], { type: 'image/png' }) })]);
}

export async function copyText(text: string): Promise<void> {
  await clipboard.writeText(text);
}

export async function readText(): Promise<string> {
  return await clipboard.readText();
}
