/** The XML of WebDAV: the small requests of clients, read within bounds and without entities of their own; and escaped answers. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { DavError } from './dav-error.ts';

/** `name` is in Clark's notation: "{DAV:}prop". */
export type DavElement = { name: string; text: string; children: DavElement[] };

export const dav = (local: string): string => `{DAV:}${local}`;

export const xmlMaxBytes = 64 * 1024;
const elementsMax = 1000;
const depthMax = 16;

/** @throws DavError 400 */
export function parseDavXml(text: string): DavElement {
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new DavError(400, 'The request declares entities of its own.');
  if (XMLValidator.validate(text) !== true) throw notXml();
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
  });
  let raw: unknown;
  try {
    raw = parser.parse(text);
  } catch {
    throw notXml();
  }
  const [root] = elementsOf(raw, new Map(), { left: elementsMax }, 0);
  if (!root) throw notXml();
  return root;
}

const notXml = (): DavError => new DavError(400, 'The request is no XML of WebDAV.');

function elementsOf(raw: unknown, outer: ReadonlyMap<string, string>, budget: { left: number }, depth: number): DavElement[] {
  if (!Array.isArray(raw)) return [];
  if (depth > depthMax) throw notXml();
  return raw.flatMap((entry: Record<string, unknown>) => {
    const tag = Object.keys(entry).find((key) => key !== ':@' && key !== '#text');
    if (tag === undefined) return [];
    if (--budget.left < 0) throw notXml();
    const spaces = new Map(outer);
    for (const [key, value] of Object.entries((entry[':@'] ?? {}) as Record<string, unknown>)) {
      if (key === 'xmlns') spaces.set('', String(value));
      else if (key.startsWith('xmlns:')) spaces.set(key.slice(6), String(value));
    }
    const colon = tag.indexOf(':');
    const space = spaces.get(colon < 0 ? '' : tag.slice(0, colon));
    if (space === undefined && colon >= 0) throw notXml();
    const inner = entry[tag];
    return [
      { name: `{${space ?? ''}}${tag.slice(colon + 1)}`, text: textOf(inner), children: elementsOf(inner, spaces, budget, depth + 1) },
    ];
  });
}

function textOf(inner: unknown): string {
  if (!Array.isArray(inner)) return '';
  return inner.map((entry: Record<string, unknown>) => ('#text' in entry ? String(entry['#text']) : '')).join('');
}

export function childOf(element: DavElement | undefined, local: string): DavElement | undefined {
  return element?.children.find(({ name }) => name === dav(local));
}

export const escapeXml = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has no way to write them.
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '�')
    .replace(/[<>&"]/g, (sign) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' })[sign] as string);

/** An element of any namespace with that content, as XML. */
export function buildElement(name: string, content: string): string {
  const [, space, local] = /^\{(.*)\}([^}]*)$/s.exec(name) ?? [];
  if (space === 'DAV:') return content === '' ? `<D:${local}/>` : `<D:${local}>${content}</D:${local}>`;
  const open = `x:${local} xmlns:x="${escapeXml(space ?? '')}"`;
  if (space === '') return content === '' ? `<${local} xmlns=""/>` : `<${local} xmlns="">${content}</${local}>`;
  return content === '' ? `<${open}/>` : `<${open}>${content}</x:${local}>`;
}

export const xmlHead = '<?xml version="1.0" encoding="utf-8"?>\n';
