/**
 * Makes a WebM in which players can seek of what a browser's recorder writes, which says neither how long it is nor where what begins.
 *
 * All goes into one file as it comes, so that what there is plays at any moment. Room for what is only known at the end is kept in the beginning:
 *
 * ```
 *   EBML │ Segment, of unknown size │ Void: room for SeekHead │ Info, with a Void: room for Duration │ Tracks │ Cluster │ Cluster │ … │ Cues
 *                 └──────────────────────────── written into at the end ─────────────────────────┘        └─ each size ─┘
 * ```
 *
 * The file can be pushed through another of these, as it was left by a kill at any moment: what is in it lies where it lay.
 *
 * INVARIANT: after each write the file is one that plays (`seekable-webm.test.ts`, `recordings.test.ts`).
 */

const id = {
  EBML: 0x1a45dfa3,
  Segment: 0x18538067,
  SeekHead: 0x114d9b74,
  Seek: 0x4dbb,
  SeekID: 0x53ab,
  SeekPosition: 0x53ac,
  Info: 0x1549a966,
  Duration: 0x4489,
  Tracks: 0x1654ae6b,
  TrackEntry: 0xae,
  TrackNumber: 0xd7,
  TrackType: 0x83,
  Cluster: 0x1f43b675,
  Timestamp: 0xe7,
  SimpleBlock: 0xa3,
  BlockGroup: 0xa0,
  Block: 0xa1,
  ReferenceBlock: 0xfb,
  Cues: 0x1c53bb6b,
  CuePoint: 0xbb,
  CueTime: 0xb3,
  CueTrackPositions: 0xb7,
  CueTrack: 0xf7,
  CueClusterPosition: 0xf1,
  Void: 0xec,
} as const;

const videoTrack = 1;
/** Recorders write a few hundred bytes before the first cluster. */
const maxHeadBytes = 64 * 1024;
/** A cluster has a second at most, and begins with each whole picture: far more than a recording of the longest kind has. */
const maxClusters = 500_000;
const idBytes = 4;
const sizeBytes = 8;
const unknownSize = Buffer.from([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
/** An element's head, the number of a track, a time and flags. */
const mostHeadOfBlock = 4 + 8 + 8 + 3;
const keyFlag = 0x80;
/** What the place for Duration takes: a number of eight bytes. */
const durationBytes = 2 + 1 + 8;
/** Info, Tracks and Cues. */
const seekHeadBytes = idBytes + 1 + 3 * (2 + 1 + (2 + 1 + 4) + (2 + 1 + 8));

/** Times are those of the file, milliseconds as recorders count. */
type Cluster = { at: number; time: number /** Of its first whole picture. */; keyTime: number | null; sizeKnown: boolean };
type Element = { id: number /** Of its content. */; at: number /** Null: until its parent ends. */; size: number | null };
export type Patch = { at: number; bytes: Buffer };

/** What came is not a WebM as recorders write it. */
export class WebmError extends Error {
  override name = 'WebmError';
}

export class SeekableWebm {
  #head: Buffer | null = Buffer.alloc(0);
  /** What has come of an element's head. */
  #held = Buffer.alloc(0);
  /** Of an element's content, which is of no interest. */
  #skip = 0;
  /** Where the bytes that are looked at next lie in the file. */
  #position = 0;
  #segmentAt = 0;
  #infoAt = 0;
  #durationAt = 0;
  #tracksAt = 0;
  #video = 0;
  #groupEndsAt = 0;
  /** Of the group that is read: the time of its block, and whether that is a whole picture of the video. */
  #group: { track: number; time: number; key: boolean } | null = null;
  readonly #clusters: Cluster[] = [];
  #newest = new Map<number, { time: number; length: number }>();
  #end = 0;
  /** What follows was written by somebody who made it whole. */
  #over = false;
  /** As it was before the newest push. */
  #before = { end: 0, clusters: 0, newest: new Map(this.#newest) };

  /** Where the newest block that is whole ends: the file plays up to there. */
  get wholeBytes(): number {
    return this.#end;
  }

  /** Takes what the recorder made next; gives what is to be written after all before, which may be nothing yet. @throws WebmError */
  push(bytes: Uint8Array): Uint8Array {
    this.#before = { end: this.#end, clusters: this.#clusters.length, newest: new Map(this.#newest) };
    if (!this.#head) {
      this.#scan(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      return bytes;
    }
    this.#head = Buffer.concat([this.#head, bytes]);
    const all = this.#head;
    const read = this.#readHead(all);
    if (!read) {
      if (all.byteLength > maxHeadBytes) throw new WebmError('no picture begins');
      return new Uint8Array(0);
    }
    const rest = all.subarray(read.clustersAt);
    this.#head = null;
    this.#position = this.#end = read.head.byteLength;
    this.#scan(rest);
    return Buffer.concat([read.head, rest]);
  }

  /** What was given last could not be written: nothing is pushed after it. */
  takeBack(): void {
    this.#end = this.#before.end;
    this.#clusters.length = this.#before.clusters;
    this.#newest = this.#before.newest;
  }

  /**
   * What makes the file whole once it is cut to `wholeBytes`: `cues` come after that, then the patches are written in their order. Without cues, for
   * which there may be no room, nothing refers to them.
   */
  finish(withCues: boolean): { cues: Buffer; patches: Patch[] } {
    const length = this.#end;
    const clusters = this.#clusters;
    const cues = withCues ? this.#buildCues(clusters) : Buffer.alloc(0);
    const patches: Patch[] = [];
    for (const [index, { at, sizeKnown }] of clusters.entries()) {
      const end = clusters[index + 1]?.at ?? length;
      if (!sizeKnown) patches.push({ at: at + idBytes, bytes: longSize(end - at - idBytes - sizeBytes) });
    }
    if (clusters.length > 0) {
      const duration = Buffer.alloc(8);
      duration.writeDoubleBE(Math.max(...[...this.#newest.values()].map((newest) => newest.time + newest.length)));
      patches.push({ at: this.#durationAt, bytes: element(id.Duration, duration) });
      if (withCues) patches.push({ at: this.#segmentAt, bytes: this.#buildSeekHead(length) });
      patches.push({ at: this.#segmentAt - sizeBytes, bytes: longSize(length + cues.byteLength - this.#segmentAt) });
    }
    return { cues, patches };
  }

  /** The beginning as it is written, and where in `bytes` the clusters begin; null as long as they do not. */
  #readHead(bytes: Buffer): { head: Buffer; clustersAt: number } | null {
    const ebml = readElement(bytes, 0);
    if (!ebml) return null;
    if (ebml.id !== id.EBML || ebml.size === null) throw new WebmError('it does not begin like one');
    const segment = readElement(bytes, ebml.at + ebml.size);
    if (!segment) return null;
    if (segment.id !== id.Segment) throw new WebmError('its beginning is not followed by a segment');
    let info: Buffer | null = null;
    let tracks: Buffer | null = null;
    for (let at = segment.at; ; ) {
      const next = readElement(bytes, at);
      if (!next) return null;
      if (next.id === id.Cluster) {
        if (!info || !tracks) throw new WebmError('it says nothing of its tracks');
        return { head: this.#buildHead(bytes.subarray(0, ebml.at + ebml.size), info, tracks), clustersAt: at };
      }
      if (next.size === null) throw new WebmError('a part of its head has no end');
      const end = next.at + next.size;
      if (end > bytes.byteLength) return null;
      if (next.id === id.Info) info = bytes.subarray(next.at, end);
      if (next.id === id.Tracks) tracks = bytes.subarray(next.at, end);
      at = end;
    }
  }

  #buildHead(ebml: Buffer, info: Buffer, tracks: Buffer): Buffer {
    const kept = children(info).filter((child) => child.id !== id.Duration && child.id !== id.Void);
    const infoElement = element(id.Info, Buffer.concat([...kept.map((child) => child.whole), voidOf(durationBytes)]));
    const segment = Buffer.concat([idOf(id.Segment), unknownSize]);
    this.#segmentAt = ebml.byteLength + segment.byteLength;
    this.#infoAt = this.#segmentAt + seekHeadBytes;
    this.#tracksAt = this.#infoAt + infoElement.byteLength;
    this.#durationAt = this.#tracksAt - durationBytes;
    for (const track of children(tracks)) {
      const numbers = new Map(children(track.content).map((child) => [child.id, unsigned(child.content)]));
      if (numbers.get(id.TrackType) === videoTrack) this.#video = numbers.get(id.TrackNumber) ?? 0;
    }
    if (this.#video === 0) throw new WebmError('it has no video');
    return Buffer.concat([ebml, segment, voidOf(seekHeadBytes), infoElement, element(id.Tracks, tracks)]);
  }

  /** Looks at what stands in the clusters. */
  #scan(bytes: Buffer): void {
    let all = bytes;
    let at = 0;
    if (this.#held.byteLength > 0) {
      all = Buffer.concat([this.#held, bytes]);
      this.#held = Buffer.alloc(0);
    }
    while (!this.#over) {
      const skipped = Math.min(this.#skip, all.byteLength - at);
      this.#skip -= skipped;
      this.#position += skipped;
      at += skipped;
      if (this.#skip > 0) return;
      this.#settle();
      const used = this.#look(all, at);
      if (this.#over) return;
      if (used === null) {
        this.#held = Buffer.from(all.subarray(at));
        return;
      }
      this.#position += used;
      at += used;
    }
  }

  /** Everything up to here is whole. */
  #settle(): void {
    if (this.#group && this.#position < this.#groupEndsAt) return;
    if (this.#group) this.#block(this.#group.track, this.#group.time, this.#group.key);
    this.#group = null;
    this.#end = this.#position;
  }

  /** How many bytes of the element at `at` have been looked at; the rest of it is skipped. Null: more has to come. */
  #look(bytes: Buffer, at: number): number | null {
    const found = readElement(bytes, at);
    if (!found) return null;
    const head = found.at - at;
    if (found.id === id.Cluster) {
      if (this.#clusters.length >= maxClusters) throw new WebmError('it has too many parts');
      const sizeKnown = found.size !== null;
      if (!sizeKnown && head !== idBytes + sizeBytes) throw new WebmError('the size of a part has no room');
      this.#clusters.push({ at: this.#position, time: 0, keyTime: null, sizeKnown });
      return head;
    }
    const { size } = found;
    this.#over = found.id === id.Cues;
    if (this.#over) return null;
    if (size === null || this.#clusters.length === 0) throw new WebmError('something stands where a part was to begin');
    if (found.id === id.BlockGroup) {
      this.#groupEndsAt = this.#position + head + size;
      this.#group = { track: 0, time: 0, key: true };
      return head;
    }
    const isBlock = found.id === id.SimpleBlock || found.id === id.Block;
    if (isBlock || found.id === id.Timestamp) {
      if (bytes.byteLength < Math.min(found.at + size, at + mostHeadOfBlock)) return null;
      const content = bytes.subarray(found.at, found.at + size);
      if (isBlock) this.#readBlock(content, found.id === id.SimpleBlock);
      else this.#newestCluster.time = time(content);
    } else if (found.id === id.ReferenceBlock && this.#group) this.#group.key = false;
    this.#skip = size;
    return head;
  }

  #readBlock(content: Buffer, simple: boolean): void {
    const track = readNumber(content, 0);
    if (!track || content.byteLength < track.length + 3) throw new WebmError('a block is too short');
    const time = this.#newestCluster.time + content.readInt16BE(track.length);
    if (simple) this.#block(track.value, time, ((content[track.length + 2] as number) & keyFlag) !== 0);
    else if (this.#group) Object.assign(this.#group, { track: track.value, time });
  }

  #block(track: number, time: number, key: boolean): void {
    const newest = this.#newest.get(track);
    this.#newest.set(track, { time, length: newest ? Math.max(0, time - newest.time) : 0 });
    if (key && track === this.#video) this.#newestCluster.keyTime ??= Math.max(0, time);
  }

  get #newestCluster(): Cluster {
    return this.#clusters.at(-1) as Cluster;
  }

  /** Whole pictures, from which on a player can show: one for each cluster that has one. */
  #buildCues(clusters: readonly Cluster[]): Buffer {
    const points = clusters.flatMap(({ at, keyTime }) => {
      if (keyTime === null) return [];
      const place = [element(id.CueTrack, number(this.#video)), element(id.CueClusterPosition, number(at - this.#segmentAt))];
      return [element(id.CuePoint, element(id.CueTime, number(keyTime)), element(id.CueTrackPositions, ...place))];
    });
    return element(id.Cues, ...points);
  }

  #buildSeekHead(cuesAt: number): Buffer {
    const seek = (what: number, at: number) =>
      element(id.Seek, element(id.SeekID, idOf(what)), element(id.SeekPosition, number(at - this.#segmentAt, 8)));
    return element(id.SeekHead, seek(id.Info, this.#infoAt), seek(id.Tracks, this.#tracksAt), seek(id.Cues, cuesAt));
  }
}

/** The number of variable length at `at`; `marked` with the bit that says its length, as ids are. Null: it is cut off. */
function readNumber(bytes: Buffer, at: number, marked = false): { value: number; length: number; unknown: boolean } | null {
  const first = bytes[at];
  if (first === undefined) return null;
  const length = Math.clz32(first) - 23;
  if (length > 8) throw new WebmError('a number is too long');
  if (at + length > bytes.byteLength) return null;
  let value = marked ? first : first & (0xff >> length);
  let unknown = (first & (0xff >> length)) === 0xff >> length;
  for (const byte of bytes.subarray(at + 1, at + length)) {
    value = value * 256 + byte;
    unknown &&= byte === 0xff;
  }
  if (!unknown && value > Number.MAX_SAFE_INTEGER) throw new WebmError('a number is too large');
  return { value, length, unknown };
}

function readElement(bytes: Buffer, at: number): Element | null {
  const name = readNumber(bytes, at, true);
  if (!name) return null;
  if (name.length > idBytes) throw new WebmError('something has no name');
  const size = readNumber(bytes, at + name.length);
  if (!size) return null;
  return { id: name.value, at: at + name.length + size.length, size: size.unknown ? null : size.value };
}

function children(content: Buffer): { id: number; content: Buffer; whole: Buffer }[] {
  const found: { id: number; content: Buffer; whole: Buffer }[] = [];
  for (let at = 0; at < content.byteLength; ) {
    const child = readElement(content, at);
    if (!child || child.size === null || child.at + child.size > content.byteLength) throw new WebmError('a part of its head is cut off');
    const end = child.at + child.size;
    found.push({ id: child.id, content: content.subarray(child.at, end), whole: content.subarray(at, end) });
    at = end;
  }
  return found;
}

function unsigned(content: Buffer): number {
  return content.reduce((value, byte) => value * 256 + byte, 0);
}

/** Of a cluster. */
function time(content: Buffer): number {
  const value = unsigned(content);
  if (value > 2 ** 48) throw new WebmError('a time is too late');
  return value;
}

function number(value: number, length = value === 0 ? 1 : Math.floor(Math.log2(value) / 8) + 1): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes.subarray(8 - length);
}

function idOf(name: number): Buffer {
  return number(name);
}

function longSize(size: number): Buffer {
  const bytes = number(size, 8);
  bytes[0] = 1;
  return bytes;
}

/** With the shortest size that there is for its content. */
function element(name: number, ...content: Buffer[]): Buffer {
  const size = content.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let length = 1;
  // All ones would mean that it is not known.
  while (size >= 2 ** (7 * length) - 1) length++;
  const head = number(size, length);
  head[0] = (head[0] as number) | (0x80 >> (length - 1));
  return Buffer.concat([idOf(name), head, ...content]);
}

function voidOf(bytes: number): Buffer {
  return element(id.Void, Buffer.alloc(bytes - 2));
}
