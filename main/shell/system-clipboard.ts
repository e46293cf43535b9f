/** Writing to and reading from the clipboard, with the interface of the Electron at hand: it became asynchronous after the development runtime's release. */
import { createHash } from 'node:crypto';
import { ClipboardItem, clipboard, type NativeImage, nativeImage } from 'electron';
import { Failure } from '../../contract/errors.ts';
import type { ShellCallOutput, ShellCallParsed } from '../../contract/shell.ts';

type Copied = ShellCallParsed<'shell.writeCopied'>['copied'];
type Selection = ShellCallParsed<'shell.writeCopied'>['selection'];
type CopiedKinds = ShellCallOutput<'shell.copiedKinds'>['clipboard'];

type OlderSelection = 'clipboard' | 'selection';
type OlderClipboard = {
  writeImage(image: NativeImage, selection: OlderSelection): void;
  readImage(selection: OlderSelection): NativeImage;
  readText(selection: OlderSelection): string;
  availableFormats(selection: OlderSelection): string[];
  writeText(text: string, selection: OlderSelection): void;
};

function isOlder(board: object): board is OlderClipboard {
  return 'writeImage' in board;
}

const olderName = (selection: Selection): OlderSelection => (selection === 'primary' ? 'selection' : 'clipboard');
const boardOf = (selection: Selection) => (selection === 'primary' ? clipboard.selection : clipboard);

/** @throws Failure `call/invalid-input` when the bytes are no picture */
export async function copyPicture(png: Uint8Array, selection: Selection = 'clipboard'): Promise<void> {
  const picture = nativeImage.createFromBuffer(Buffer.from(png));
  if (picture.isEmpty()) throw new Failure('call/invalid-input', 'The picture cannot be read.', { path: 'png' });
  if (isOlder(clipboard)) clipboard.writeImage(picture, olderName(selection));
  else await boardOf(selection).write([new ClipboardItem({ 'image/png': new Blob([new Uint8Array(png)], { type: 'image/png' }) })]);
}

export async function copyText(text: string, selection: Selection = 'clipboard'): Promise<void> {
  if (isOlder(clipboard)) clipboard.writeText(text, olderName(selection));
  else await boardOf(selection).writeText(text);
}

export async function readText(selection: Selection = 'clipboard'): Promise<string> {
  return isOlder(clipboard) ? clipboard.readText(olderName(selection)) : await boardOf(selection).readText();
}

/** @throws Failure `call/invalid-input` for a picture that is none */
export async function writeCopied(selection: Selection, copied: Copied): Promise<void> {
  await (copied.kind === 'text' ? copyText(copied.text, selection) : copyPicture(copied.png, selection));
}

/** Null when there is nothing of that kind. */
export async function readCopied(selection: Selection, kind: Copied['kind']): Promise<Copied | null> {
  if (kind === 'text') {
    const text = await readText(selection);
    return text === '' ? null : { kind, text };
  }
  const png = await readPicture(selection);
  return png ? { kind, png } : null;
}

export async function copiedKinds(selection: Selection): Promise<CopiedKinds> {
  const hash = createHash('sha256');
  const kinds: CopiedKinds['kinds'] = [];
  // On X11 each reading is several questions to the program that has it, and the shell does nothing else meanwhile.
  const formats = isOlder(clipboard) ? clipboard.availableFormats(olderName(selection)) : null;
  const has = (prefix: string) => formats === null || formats.some((format) => format.startsWith(prefix));
  const text = has('text/') ? await readText(selection) : '';
  if (text !== '') kinds.push('text');
  const png = has('image/') ? await readPicture(selection) : null;
  if (png) kinds.push('png');
  hash.update(`${text.length}\n${text}`).update(png ?? '');
  return { stamp: hash.digest('hex'), kinds };
}

async function readPicture(selection: Selection): Promise<Uint8Array<ArrayBuffer> | null> {
  if (isOlder(clipboard)) {
    const picture = clipboard.readImage(olderName(selection));
    return picture.isEmpty() ? null : Uint8Array.from(picture.toPNG());
  }
  for (const item of await boardOf(selection).read()) {
    if (!item.types.includes('image/png')) continue;
    return new Uint8Array(await (await item.getType('image/png')).arrayBuffer());
  }
  return null;
}
