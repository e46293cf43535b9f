/**
 * Asks servers on the net: redirects followed within bounds and never from https to http, deadlines on every wait, proxies as the environment
 * or the settings say.
 */
import type { Readable } from 'node:stream';
import { Failure } from '../../../contract/errors.ts';
import { version } from '../../../contract/version.ts';

export type HttpTimings = {
  connectMs: number;
  /** From a request to the first line of its answer. */
  headersMs: number;
  /** Between two pieces of an answer. */
  stallMs: number;
};

export type HttpOptions = {
  /** As in the settings: null for the environment's, "direct" for none, or an address. */
  proxy: string | null;
  environment: NodeJS.ProcessEnv;
  timings: HttpTimings;
  /** Certificates to trust besides those of Node and of NODE_EXTRA_CA_CERTS. */
  ca?: string;
};

export type HttpReply = {
  status: number;
  /** After redirects. */
  url: string;
  header(name: string): string | null;
  body: Readable;
};

export type Http = {
  /** Answers once the headers of a good answer (2xx, or a status of `accepted`) are there. The body must be read or destroyed. @throws HttpProblem */
  get(url: string, options: { headers?: Record<string, string>; accepted?: readonly number[]; signal: AbortSignal }): Promise<HttpReply>;
  /** A small file. @throws HttpProblem */
  bytes(url: string, signal: AbortSignal): Promise<Buffer>;
  text(url: string, signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
};

/** What went wrong with one server. `transient`: trying again may help. */
export class HttpProblem extends Error {
  override name = 'HttpProblem';
  readonly kind: 'unreachable' | 'cut' | 'stalled' | 'status' | 'redirect' | 'untrusted' | 'protocol' | 'too-large';
  readonly transient: boolean;
  readonly status: number | null;
  /** When the server says how long to wait. */
  readonly retryAfterMs: number | null;
  constructor(
    kind: HttpProblem['kind'],
    message: string,
    {
      transient = false,
      status = null,
      retryAfterMs = null,
    }: { transient?: boolean; status?: number | null; retryAfterMs?: number | null } = {},
  ) {
    super(message);
    this.kind = kind;
    this.transient = transient;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

const redirectsAtMost = 10;
const pageAtMostBytes = 4 * 1024 * 1024;
const redirecting: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** @throws Failure `download/proxy-invalid` */
export async function createHttp({ proxy, environment, timings, ca }: HttpOptions): Promise<Http> {
  const proxies = proxiesOf(proxy, environment);
  // Only loaded here: most engines never fetch anything, and it is a megabyte of code.
  const { EnvHttpProxyAgent, request } = await import('undici');
  const tls = { timeout: timings.connectMs, ...(ca === undefined ? {} : { ca }) };
  const dispatcher = new EnvHttpProxyAgent({
    httpProxy: proxies.http,
    httpsProxy: proxies.https,
    noProxy: proxies.except,
    connect: tls,
    requestTls: tls,
    proxyTls: tls,
    headersTimeout: timings.headersMs,
    bodyTimeout: timings.stallMs,
    // Many proxies open tunnels to port 443 only.
    proxyTunnel: false,
  });

  const once = async (url: URL, headers: Record<string, string>, signal: AbortSignal) => {
    try {
      return await request(url, {
        dispatcher,
        signal,
        headers: { 'user-agent': `Guesthouse/${version}`, accept: '*/*', 'accept-encoding': 'identity', ...headers },
      });
    } catch (thrown) {
      throw signal.aborted ? signal.reason : problemOf(thrown, url);
    }
  };

  const get: Http['get'] = async (address, { headers = {}, accepted = [], signal }) => {
    let url = new URL(address);
    const seen = new Set([url.href]);
    for (;;) {
      const answer = await once(url, headers, signal);
      const header = (name: string) => {
        const value = answer.headers[name];
        return Array.isArray(value) ? (value[0] ?? null) : (value ?? null);
      };
      const location = redirecting.has(answer.statusCode) ? header('location') : null;
      if (location !== null) {
        letGo(answer.body);
        url = nextAddress(url, location, seen);
        continue;
      }
      if ((answer.statusCode >= 200 && answer.statusCode < 300) || accepted.includes(answer.statusCode)) {
        return { status: answer.statusCode, url: url.href, header, body: answer.body };
      }
      letGo(answer.body);
      throw statusProblem(answer.statusCode, url, header('retry-after'));
    }
  };

  const bytes: Http['bytes'] = async (address, signal) => {
    const reply = await get(address, { signal });
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of bodyOf(reply, signal)) {
      length += piece.length;
      if (length > pageAtMostBytes) throw new HttpProblem('too-large', `${hostOf(reply.url)} sends more than a page should have.`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  };

  return {
    get,
    bytes,
    text: async (address, signal) => (await bytes(address, signal)).toString('utf8'),
    close: () => dispatcher.destroy(),
  };
}

/** The bytes of an answer; what goes wrong on the way is an {@link HttpProblem}, or the signal's reason. */
export async function* bodyOf(reply: HttpReply, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    for await (const piece of reply.body) yield piece as Buffer;
  } catch (thrown) {
    throw signal.aborted ? signal.reason : problemOf(thrown, new URL(reply.url));
  } finally {
    letGo(reply.body);
  }
}

/** Ends an answer that is not read to its end. */
export function letGo(body: Readable): void {
  // undici tells the reader that it was ended, and nobody reads any more.
  body.on('error', () => undefined);
  body.destroy();
}

function nextAddress(from: URL, location: string, seen: Set<string>): URL {
  const refuse = (why: string) => new HttpProblem('redirect', `${from.host} ${why}`);
  if (!URL.canParse(location, from.href)) throw refuse('sends to an address that is none.');
  const next = new URL(location, from.href);
  next.hash = '';
  if (next.protocol !== 'https:' && next.protocol !== 'http:')
    throw refuse(`sends to ${next.protocol.slice(0, 20)}, which is not followed.`);
  if (from.protocol === 'https:' && next.protocol === 'http:')
    throw refuse(`sends from https to http (${next.host}), where anybody on the way could change the file.`);
  if (next.username !== '' || next.password !== '') throw refuse('sends to an address with a name and password in it.');
  if (seen.has(next.href)) throw refuse('sends in a circle.');
  if (seen.size >= redirectsAtMost) throw refuse(`sends on more than ${redirectsAtMost} times.`);
  seen.add(next.href);
  return next;
}

function statusProblem(status: number, url: URL, retryAfter: string | null): HttpProblem {
  const seconds = retryAfter !== null && /^\d{1,5}$/.test(retryAfter) ? Number(retryAfter) : null;
  return new HttpProblem('status', `${url.host} answers ${status} for ${url.pathname}.`, {
    status,
    transient: status === 408 || status === 425 || status === 429 || status >= 500,
    retryAfterMs: seconds === null ? null : seconds * 1000,
  });
}

const untrusted = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL/;

/** What undici threw, in words. */
function problemOf(thrown: unknown, url: URL): HttpProblem {
  if (thrown instanceof HttpProblem) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const cause = error.cause instanceof Error ? error.cause : null;
  const code = codeOf(error) ?? (cause ? codeOf(cause) : null) ?? '';
  const { host } = url;
  const transient = { transient: true };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new HttpProblem('unreachable', `The name ${host} is not known to the network.`, transient);
  if (code === 'ECONNREFUSED') return new HttpProblem('unreachable', `${host} refuses the connection.`, transient);
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')
    return new HttpProblem('unreachable', `${host} does not answer.`, transient);
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return new HttpProblem('unreachable', `There is no way to ${host}.`, transient);
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return new HttpProblem('stalled', `${host} takes the question and does not answer.`, transient);
  if (code === 'UND_ERR_BODY_TIMEOUT') return new HttpProblem('stalled', `${host} stopped sending.`, transient);
  if (/Proxy response/.test(error.message))
    return new HttpProblem('unreachable', `The proxy does not connect to ${host}: ${error.message}.`, transient);
  if (untrusted.test(code)) return new HttpProblem('untrusted', `The certificate of ${host} cannot be trusted (${code}).`);
  if (code.startsWith('HPE_')) return new HttpProblem('protocol', `${host} sends what is no answer (${code}).`, transient);
  return new HttpProblem('cut', `The connection to ${host} broke off (${code || error.message}).`, transient);
}

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' ? error.code : null;
}

export function hostOf(address: string): string {
  return new URL(address).host;
}

/** The proxies in force: empty strings stand for none. @throws Failure `download/proxy-invalid` */
export function proxiesOf(setting: string | null, environment: NodeJS.ProcessEnv): { http: string; https: string; except: string } {
  const named = (name: string) => environment[name] || environment[name.toUpperCase()] || '';
  const except = named('no_proxy');
  if (setting === 'direct') return { http: '', https: '', except };
  const http = checkedProxy(setting ?? named('http_proxy'), setting === null ? 'http_proxy' : null);
  const https = checkedProxy(setting ?? named('https_proxy'), setting === null ? 'https_proxy' : null);
  return { http, https, except };
}

function checkedProxy(address: string, variable: string | null): string {
  if (address === '') return '';
  // As curl does: a proxy without a scheme is an http one.
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `http://${address}`;
  if (URL.canParse(whole) && /^https?:$/.test(new URL(whole).protocol)) return whole;
  throw new Failure(
    'download/proxy-invalid',
    `The proxy ${variable === null ? 'of the settings' : `that ${variable} names`} is not an http or https address.`,
    {
      hint:
        variable === null
          ? 'Change it in the settings.'
          : `Set ${variable} to http://host:port, or a proxy in the settings, then start the engine again.`,
    },
  );
}

/** The proxy for https without who logs in there, for people; null when there is none. */
export function shownProxy(setting: string | null, environment: NodeJS.ProcessEnv): string | null {
  const { http, https } = proxiesOf(setting, environment);
  const used = https || http;
  return used === '' ? null : new URL(used).origin;
}
