/** XML from strangers: bounded, and without a document type, so that no entity of its own can name a file or grow without end. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { notUnderstood } from './foreign-machine.ts';

export type XmlNode = { name: string; attributes: Record<string, string>; children: XmlNode[]; text: string };

/** More than any description of a machine has. */
const xmlMaxBytes = 4 * 1024 * 1024;
const nodesMax = 50_000;
const depthMax = 64;

/**
 * The root element; prefixes of namespaces are taken off.
 * @throws Failure `machine/not-understood` for what is no XML, has entities of its own, or is too large.
 */
export function parseXml(text: string, options: { plist?: boolean } = {}): XmlNode {
  if (Buffer.byteLength(text) > xmlMaxBytes) throw notUnderstood('it is larger than 4 MiB.');
  // Apple's lists always name their document type; that line is harmless without a part of its own in brackets.
  const plain = options.plist ? text.replace(/<!DOCTYPE\s+plist\s+PUBLIC\s+"[^"[\]<>]*"\s+"[^"[\]<>]*"\s*>/, '') : text;
  if (/<!(DOCTYPE|ENTITY)/i.test(plain)) throw notUnderstood('it declares entities of its own, which could name files of this computer.');
  const valid = XMLValidator.validate(plain);
  if (valid !== true) throw notUnderstood('it is no well-formed XML.', `${valid.err.msg} (line ${valid.err.line})`);
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    removeNSPrefix: true,
    parseTagValue: false,
    parseAttributeValue: false,
    ignoreDeclaration: true,
    ignorePiTags: true,
  });
  let budget = nodesMax;
  const build = (raw: unknown, depth: number): XmlNode[] => {
    if (!Array.isArray(raw)) return [];
    if (depth > depthMax) throw notUnderstood('its elements lie too deep in each other.');
    return raw.flatMap((entry: Record<string, unknown>) => {
      const name = Object.keys(entry).find((key) => key !== ':@' && key !== '#text');
      if (name === undefined) return [];
      budget -= 1;
      if (budget < 0) throw notUnderstood('it has too many elements.');
      const inner = entry[name];
      const attributes = Object.fromEntries(
        Object.entries((entry[':@'] ?? {}) as Record<string, unknown>).map(([key, value]) => [key, String(value)]),
      );
      return [{ name, attributes, children: build(inner, depth + 1), text: textOf(inner) }];
    });
  };
  const [root] = build(parsed(parser, plain), 0);
  if (!root) throw notUnderstood('it is empty.');
  return root;
}

/** The parser has bounds of its own, and refuses names that would change JavaScript's objects. */
function parsed(parser: XMLParser, text: string): unknown {
  try {
    return parser.parse(text);
  } catch (thrown) {
    throw notUnderstood('it has elements that no description has.', thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function textOf(inner: unknown): string {
  if (!Array.isArray(inner)) return '';
  return inner
    .map((entry: Record<string, unknown>) => ('#text' in entry ? String(entry['#text']) : ''))
    .join('')
    .trim();
}

/** Children of a name, in any case. */
export function childrenOf(node: XmlNode | null, name: string): XmlNode[] {
  return node?.children.filter((child) => child.name === name) ?? [];
}

/** The first element at a path of names, or null. */
export function childAt(node: XmlNode | null, ...path: string[]): XmlNode | null {
  return path.reduce<XmlNode | null>((at, name) => childrenOf(at, name)[0] ?? null, node);
}

/** Every element of a name, however deep. */
export function descendants(node: XmlNode, name: string): XmlNode[] {
  return node.children.flatMap((child) => [...(child.name === name ? [child] : []), ...descendants(child, name)]);
}
