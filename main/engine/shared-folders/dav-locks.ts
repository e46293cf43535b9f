/** Write locks as RFC 4918 has them, of one guest, in memory: they keep its programs from writing over each other. */
import { randomUUID } from 'node:crypto';
import { DavError } from './dav-error.ts';
import { type DavPath, isWithin } from './dav-path.ts';
import { escapeXml } from './dav-xml.ts';

export type DavLock = {
  token: string;
  path: DavPath;
  /** Also of all that lies below. */
  deep: boolean;
  exclusive: boolean;
  /** Who has it, as the client said. */
  owner: { href: boolean; text: string };
  timeoutSeconds: number;
  expiresAt: number;
};

const locksMax = 1000;
const ownerMaxLength = 1000;
const timeoutMaxSeconds = 3600;

export class DavLocks {
  #locks: DavLock[] = [];
  readonly #now: () => number;

  /** `now` is in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Those that keep `path` from being written. */
  covering(path: DavPath): DavLock[] {
    return this.#live().filter((lock) => isWithin(path, lock.path) && (lock.deep || lock.path.length === path.length));
  }

  /** Those of `path` and of all below it. */
  below(path: DavPath): DavLock[] {
    return this.#live().filter((lock) => isWithin(lock.path, path));
  }

  /** @throws DavError 423 when it cannot be had */
  take(wanted: Omit<DavLock, 'token' | 'expiresAt'>): DavLock {
    const others = [...this.covering(wanted.path), ...(wanted.deep ? this.below(wanted.path) : [])];
    if (others.some(({ exclusive }) => exclusive || wanted.exclusive)) throw new DavError(423, 'It is locked.', 'no-conflicting-lock');
    if (this.#locks.length >= locksMax) throw new DavError(503, 'There are too many locks.');
    const lock: DavLock = {
      ...wanted,
      owner: { ...wanted.owner, text: wanted.owner.text.slice(0, ownerMaxLength) },
      token: `urn:uuid:${randomUUID()}`,
      expiresAt: this.#now() + wanted.timeoutSeconds * 1000,
    };
    this.#locks.push(lock);
    return lock;
  }

  /** @throws DavError 412 when there is no such lock of that path */
  refresh(tokens: ReadonlySet<string>, path: DavPath, timeoutSeconds: number): DavLock {
    const lock = this.covering(path).find(({ token }) => tokens.has(token));
    if (!lock) throw new DavError(412, 'There is no such lock.', 'lock-token-matches-request-uri');
    lock.timeoutSeconds = timeoutSeconds;
    lock.expiresAt = this.#now() + timeoutSeconds * 1000;
    return lock;
  }

  /** @throws DavError 409 when there is no such lock of that path */
  release(token: string, path: DavPath): void {
    const lock = this.covering(path).find((one) => one.token === token);
    if (!lock) throw new DavError(409, 'There is no such lock.', 'lock-token-matches-request-uri');
    this.#locks = this.#locks.filter((one) => one !== lock);
  }

  /** What was locked is gone. */
  forget(path: DavPath): void {
    this.#locks = this.#locks.filter((lock) => !isWithin(lock.path, path));
  }

  /**
   * @param whole also what lies below is removed or written over
   * @throws DavError 423 when somebody else's lock forbids it
   */
  mayWrite(path: DavPath, tokens: ReadonlySet<string>, whole: boolean): void {
    const shared = new Map<string, boolean>();
    for (const lock of [...this.covering(path), ...(whole ? this.below(path) : [])]) {
      const has = tokens.has(lock.token);
      if (lock.exclusive && !has) throw new DavError(423, 'It is locked.', 'lock-token-submitted');
      const key = JSON.stringify(lock.path);
      if (!lock.exclusive) shared.set(key, has || shared.get(key) === true);
    }
    if ([...shared.values()].includes(false)) throw new DavError(423, 'It is locked.', 'lock-token-submitted');
  }

  #live(): DavLock[] {
    const now = this.#now();
    this.#locks = this.#locks.filter(({ expiresAt }) => expiresAt > now);
    return this.#locks;
  }
}

/** "Second-600, Infinite": the first that is understood, and an hour at most. */
export function parseTimeout(header: string | undefined): number {
  const seconds = Number(/Second-(\d{1,10})/i.exec(header ?? '')?.[1] ?? timeoutMaxSeconds);
  return Math.max(1, Math.min(seconds, timeoutMaxSeconds));
}

export function describeLock(lock: DavLock, href: string): string {
  const { href: isHref, text } = lock.owner;
  const owner = text === '' ? '' : `<D:owner>${isHref ? `<D:href>${escapeXml(text)}</D:href>` : escapeXml(text)}</D:owner>`;
  return (
    `<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:${lock.exclusive ? 'exclusive' : 'shared'}/></D:lockscope>` +
    `<D:depth>${lock.deep ? 'infinity' : '0'}</D:depth>${owner}<D:timeout>Second-${lock.timeoutSeconds}</D:timeout>` +
    `<D:locktoken><D:href>${lock.token}</D:href></D:locktoken><D:lockroot><D:href>${escapeXml(href)}</D:href></D:lockroot></D:activelock>`
  );
}
