import { expect, test } from 'vitest';
import { childAt, descendants, parseXml } from './xml-document.ts';

const refused = { error: { code: 'machine/not-understood' } };
const failureOf = (text: string, options = {}) => {
  try {
    parseXml(text, options);
    return null;
  } catch (thrown) {
    return thrown;
  }
};

test('elements, attributes and text are read, without the prefixes of namespaces', () => {
  const root = parseXml('<?xml version="1.0"?><a:root x:id="1"><b>one &amp; two</b><b>three</b></a:root>');
  expect(root).toMatchObject({ name: 'root', attributes: { id: '1' } });
  expect(childAt(root, 'b')?.text).toBe('one & two');
  expect(descendants(root, 'b')).toHaveLength(2);
});

test('an external entity is refused before anything is opened', () => {
  const text = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>';
  expect(failureOf(text)).toMatchObject(refused);
  expect(failureOf('<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>')).toMatchObject(refused);
  expect(failureOf(text, { plist: true })).toMatchObject(refused);
});

test('an entity bomb is refused', () => {
  const bomb = `<!DOCTYPE l [<!ENTITY a "lol">${'bcdefghij'
    .split('')
    .map((name, index) => `<!ENTITY ${name} "${`&${'abcdefghi'[index]};`.repeat(10)}">`)
    .join('')}]><l>&j;</l>`;
  expect(failureOf(bomb)).toMatchObject(refused);
});

test('what is too large, too deep, too many or no XML is refused', () => {
  expect(failureOf(`<r>${'x'.repeat(5 * 1024 * 1024)}</r>`)).toMatchObject(refused);
  expect(failureOf(`${'<a>'.repeat(200)}${'</a>'.repeat(200)}`)).toMatchObject(refused);
  expect(failureOf(`<r>${'<a/>'.repeat(60_000)}</r>`)).toMatchObject(refused);
  for (const text of ['', 'hello', '<a><b></a>', '\0']) expect(failureOf(text)).toMatchObject(refused);
});

test('names that would change objects of the language are refused', () => {
  for (const text of ['<r constructor="1"/>', '<r><__proto__>x</__proto__></r>']) expect(failureOf(text)).toMatchObject(refused);
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});

test('only the line that Apple’s lists begin with is let pass', () => {
  const doctype = '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">';
  expect(parseXml(`${doctype}<plist><dict/></plist>`, { plist: true }).name).toBe('plist');
  expect(failureOf(`${doctype}<plist/>`)).toMatchObject(refused);
});
