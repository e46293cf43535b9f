/** What spice-webdavd in a guest says on its port, and hears: `client (int64) · size (uint16) · data`, little-endian. */

import { readsPort } from './starter-guest.ts';
import { until } from './until.ts';

type Run = (script: string) => Promise<string>;

function pieces(client: bigint, bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / 60_000) }, (_, index) =>
    webdavdMessage(client, bytes.subarray(index * 60_000, (index + 1) * 60_000)),
  );
}

/** Whether that is the whole answer, each byte a character. */
function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const head = answer.slice(0, headEnd);
  if (/^transfer-encoding: chunked/im.test(head)) return answer.endsWith('\r\n0\r\n\r\n');
  const lengthBytes = /^content-length: (\d+)/im.exec(head)?.[1];
  return answer.length >= headEnd + 4 + Number(lengthBytes ?? 0);
}

/**
 * Plays spice-webdavd in the guest that `inside` runs commands in: says all requests at once, each of a client of its own, and gives the answers, each
 * byte a character.
 * @throws Error when the guest has no such port, or when one is not answered within `deadlineMs`
 */
export async function askFolders(inside: Run, requests: readonly Buffer[], deadlineMs = 60_000): Promise<string[]> {
  const port = (await inside('grep -l org.spice-space.webdav.0 /sys/class/virtio-ports/*/name | cut -d/ -f5')).trim();
  if (!/^vport\d+p\d+$/.test(port)) throw new Error(`The guest has no port for folders: ${port}`);
  const said = Buffer.concat(requests.flatMap((bytes, index) => pieces(BigInt(index + 1), bytes)));
  // A command has 128 KiB at most; more is written in parts.
  await inside(': > /tmp/said');
  for (let at = 0; at < said.length; at += 60_000)
    await inside(`echo '${said.subarray(at, at + 60_000).toString('base64')}' | base64 -d >> /tmp/said`);
  await inside(
    `setsid sh -c 'exec 3<>/dev/${port}; cat /tmp/said >&3 & ${readsPort}' > /tmp/heard 2> /dev/null < /dev/null & echo $! > /tmp/daemon`,
  );
  try {
    return await until(
      'every request is answered',
      async () => {
        const heard = webdavdMessages(Buffer.from(await inside('base64 /tmp/heard'), 'base64'));
        const answers = requests.map((_, index) =>
          Buffer.concat(heard.flatMap(({ client, data }) => (client === BigInt(index + 1) ? [data] : []))).toString('latin1'),
        );
        return answers.every(isWhole) ? answers : null;
      },
      deadlineMs,
    );
  } finally {
    await inside(`kill -KILL -- -$(cat /tmp/daemon); while grep -qs . /proc/$(cat /tmp/daemon)/cmdline; do sleep 0.1; done`);
  }
}

/** An HTTP request to the folders, after which its client goes. */
export function foldersRequest(method: string, path: string, headers: Record<string, string> = {}, body: Uint8Array | string = ''): Buffer {
  const lines = Object.entries({
    host: 'localhost:9843',
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  });
  const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

export function webdavdMessage(client: bigint, data: string | Uint8Array): Buffer {
  const bytes = Buffer.from(data);
  const head = Buffer.alloc(10);
  head.writeBigInt64LE(client, 0);
  head.writeUInt16LE(bytes.length, 8);
  return Buffer.concat([head, bytes]);
}

/** The whole messages that `bytes` begin with. */
export function webdavdMessages(bytes: Buffer): { client: bigint; data: Buffer }[] {
  const messages: { client: bigint; data: Buffer }[] = [];
  for (let at = 0; at + 10 <= bytes.length; ) {
    const size = bytes.readUInt16LE(at + 8);
    if (at + 10 + size > bytes.length) break;
    messages.push({ client: bytes.readBigInt64LE(at), data: bytes.subarray(at + 10, at + 10 + size) });
    at += 10 + size;
  }
  return messages;
}
