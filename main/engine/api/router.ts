/**
 * The HTTP side of the API, made by a loop over the contract: `POST /v1/<call>` with the input as JSON, answered by
 * `{ok, value}` or `{ok, error}`, and the OpenAPI document of the same table.
 */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { type CallName, calls, isCallName } from '../../../contract/calls.ts';
import { type ErrorCode, Failure, guesthouseError, toGuesthouseError } from '../../../contract/errors.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { guestId } from '../../../contract/ids.ts';
import { version } from '../../../contract/version.ts';
import type { Clock } from '../clock/clock.ts';
import type { Log } from '../log/log.ts';
import { withAudit } from './audit-call.ts';
import { checkCaller, parseCaller } from './caller.ts';
import { createHandlers, type Handlers, type Services } from './handlers.ts';
import { guestsJson } from './json-text.ts';

export type RouterDeps = {
  services: Services;
  clock: Clock;
  log: Log;
  /** How many calls are being answered: the engine waits for them when it stops, and is not idle meanwhile. */
  traffic: Traffic;
};

export type Traffic = {
  begin(): void;
  end(): void;
  /** Set while the engine stops: nothing but `engine.info` is answered. */
  stopping: boolean;
};

const inputMaxBytes = 1024 * 1024;
/** An engine of another version can always be asked who it is and told to leave. */
const versionFree: ReadonlySet<string> = new Set(['engine.info', 'engine.stop']);
const slowCallMs = 1000;

type Handler = Handlers[CallName];

export function createRouter({ services, clock, log, traffic }: RouterDeps): OpenAPIHono {
  const app = new OpenAPIHono();
  const handlers = createHandlers(services);
  const fail = (context: Context, thrown: unknown) => {
    const error = toGuesthouseError(thrown);
    if (error.code === 'engine/internal') log.error({ error: thrown, path: context.req.path }, 'A call failed unexpectedly.');
    return context.json({ ok: false as const, error }, statusOf(error.code));
  };
  const header = (context: Context) => (name: string) => context.req.header(name);

  app.onError((thrown, context) => fail(context, badBody(thrown)));
  app.use(async (_context, next) => {
    traffic.begin();
    try {
      await next();
    } finally {
      traffic.end();
    }
  });
  app.use(
    '/v1/:call',
    bodyLimit({
      maxSize: inputMaxBytes,
      onError: (context) =>
        fail(context, new Failure('call/invalid-input', `The input is larger than ${inputMaxBytes} bytes.`, { path: '' })),
    }),
  );

  for (const name of Object.keys(calls).filter(isCallName)) {
    const handler = handlers[name] as (...parameters: Parameters<Handler>) => unknown;
    app.openAPIRegistry.registerPath(describe(name));
    app.post(`/v1/${name}`, async (context) => {
      const began = performance.now();
      try {
        checkCaller(header(context), version, !versionFree.has(name));
        if (traffic.stopping && name !== 'engine.stop')
          throw new Failure('engine/stopping', 'The engine is stopping and takes no new work.');
        const caller = parseCaller(header(context));
        const body: unknown = await readJson(context);
        const value = await withAudit({ services, clock, log }, name, body, caller, async () => {
          const input = parseInput(name, body);
          return (await handler(input as never, caller)) ?? null;
        });
        const text = name === 'guest.list' ? guestsJson(value as Guest[]) : JSON.stringify(value);
        return context.body(`{"ok":true,"value":${text}}`, 200, { 'content-type': 'application/json' });
      } catch (thrown) {
        return fail(context, thrown);
      } finally {
        const tookMs = Math.round(performance.now() - began);
        if (tookMs > slowCallMs) log.info({ call: name, tookMs }, `The call ${name} took ${tookMs} ms.`);
      }
    });
  }

  app.get('/v1/openapi.json', (context) => context.json(buildOpenApi(app)));
  app.get('/v1/guests/:id/screen.png', async (context) => {
    try {
      checkCaller(header(context), version, true);
      const id = guestId.safeParse(context.req.param('id'));
      const maxAgeMs = z.coerce.number().int().min(0).max(3_600_000).default(1000).safeParse(context.req.query('maxAgeMs'));
      if (!id.success) throw new Failure('guest/not-found', `There is no guest ${context.req.param('id')}.`);
      if (!maxAgeMs.success)
        throw new Failure('call/invalid-input', 'maxAgeMs must be a whole number from 0 to 3600000.', { path: 'maxAgeMs' });
      const png = await services.guests.thumbnail(id.data, maxAgeMs.data);
      if (!png) return context.body(null, 204);
      return context.body(new Uint8Array(png), 200, { 'content-type': 'image/png', 'cache-control': 'no-store' });
    } catch (thrown) {
      return fail(context, thrown);
    }
  });
  app.notFound((context) =>
    fail(
      context,
      new Failure('call/unknown', `There is no call ${context.req.method} ${context.req.path}.`, {
        hint: 'GET /v1/openapi.json lists all of them.',
      }),
    ),
  );
  return app;
}

async function readJson(context: Context): Promise<unknown> {
  const text = await context.req.text();
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new Failure('call/invalid-input', 'The input is not JSON.', { path: '', detail: String(thrown) });
  }
}

/** @throws Failure `call/invalid-input` with the dotted path of the first field at fault */
export function parseInput(name: CallName, body: unknown): unknown {
  const parsed = calls[name].input.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const unknownField = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...(issue?.path ?? []), ...(unknownField === undefined ? [] : [unknownField])].join('.');
  const reason = unknownField === undefined ? (issue?.message ?? 'It does not fit.') : 'No such field exists.';
  throw new Failure('call/invalid-input', `${name}${path === '' ? '' : `: the field “${path}”`} cannot be used: ${reason}`, {
    path,
    detail: parsed.error.issues.map((each) => `${each.path.join('.')}: ${each.message}`).join('\n'),
  });
}

function badBody(thrown: unknown): unknown {
  // Hono's own exceptions are about the request, never about us.
  if (thrown instanceof Error && 'status' in thrown && typeof thrown.status === 'number' && thrown.status < 500)
    return new Failure('call/invalid-input', thrown.message || 'The request cannot be read.', { path: '' });
  return thrown;
}

function statusOf(code: ErrorCode) {
  if (code === 'engine/internal') return 500;
  if (code === 'engine/stopping') return 503;
  if (code === 'engine/version-mismatch') return 426;
  if (code === 'call/forbidden-origin') return 403;
  if (code === 'call/unknown' || code.endsWith('/not-found')) return 404;
  return code.startsWith('call/') ? 400 : 409;
}

const failureSchema = z.object({ ok: z.literal(false), error: guesthouseError });

function describe(name: CallName) {
  const { summary, input, output, effect } = calls[name];
  return createRoute({
    method: 'post',
    path: `/v1/${name}`,
    operationId: name,
    summary,
    tags: [name.slice(0, name.indexOf('.'))],
    description: effect === 'read' ? 'Changes nothing.' : 'Changes something, and is written to the audit log.',
    request: { body: { required: true, content: { 'application/json': { schema: input } } } },
    responses: {
      200: { description: 'Done.', content: { 'application/json': { schema: z.object({ ok: z.literal(true), value: output }) } } },
      default: { description: 'Not done.', content: { 'application/json': { schema: failureSchema } } },
    },
  });
}

export function buildOpenApi(app: Pick<OpenAPIHono, 'getOpenAPI31Document'>) {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Guesthouse engine', version, description: 'Served on a Unix socket that only its user can open.' },
  });
}
