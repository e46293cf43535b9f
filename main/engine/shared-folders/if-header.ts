/** The `If` header of RFC 4918, §10.4: under which locks and of which versions a request is meant. */
import { DavError } from './dav-error.ts';
import { type DavPath, parseDavPath } from './dav-path.ts';

type Condition = { not: boolean } & ({ token: string } | { etag: string });
/** One of the lists must hold wholly. `path` null is what the request itself names. */
type ConditionList = { path: DavPath | null; conditions: Condition[] };

export type IfHeader = {
  lists: readonly ConditionList[];
  /** All tokens that are named, which count as submitted. */
  tokens: ReadonlySet<string>;
};

const conditionsMax = 100;

/** @throws DavError 400 */
export function parseIfHeader(header: string | undefined): IfHeader {
  const lists: ConditionList[] = [];
  const tokens = new Set<string>();
  if (header === undefined) return { lists, tokens };
  let at = 0;
  let count = 0;
  let path: DavPath | null = null;
  const bad = () => new DavError(400, 'The If header is not as it should be.');
  const skip = () => {
    while (header[at] === ' ' || header[at] === '\t') at++;
  };
  const until = (end: string): string => {
    const to = header.indexOf(end, at + 1);
    if (to < 0) throw bad();
    const text = header.slice(at + 1, to);
    at = to + 1;
    return text;
  };
  for (skip(); at < header.length; skip()) {
    if (header[at] === '<') {
      path = parseDavPath(until('>'));
      continue;
    }
    if (header[at] !== '(') throw bad();
    at++;
    const conditions: Condition[] = [];
    for (skip(); header[at] !== ')'; skip()) {
      if (at >= header.length || ++count > conditionsMax) throw bad();
      const not = /^not\b/i.test(header.slice(at, at + 4));
      if (not) {
        at += 3;
        skip();
      }
      if (header[at] === '<') {
        const token = until('>');
        tokens.add(token);
        conditions.push({ not, token });
      } else if (header[at] === '[') conditions.push({ not, etag: until(']') });
      else throw bad();
    }
    at++;
    lists.push({ path, conditions });
  }
  if (lists.length === 0) throw bad();
  return { lists, tokens };
}

/** @throws DavError 412 when none of the lists holds */
export async function checkIfHeader(
  { lists }: IfHeader,
  requested: DavPath,
  state: { isLocked(path: DavPath, token: string): boolean; etag(path: DavPath): Promise<string | null> },
): Promise<void> {
  if (lists.length === 0) return;
  for (const { path, conditions } of lists) {
    const at = path ?? requested;
    let holds = true;
    for (const condition of conditions) {
      const is = 'token' in condition ? state.isLocked(at, condition.token) : (await state.etag(at)) === condition.etag;
      if (is === condition.not) holds = false;
    }
    if (holds) return;
  }
  throw new DavError(412, 'It is not locked, or not what it was.');
}
