/** The engine's log: JSON lines in `logs/engine.log`, bounded in size, without secrets. */
import { basename, dirname } from 'node:path';
import { pino } from 'pino';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import { makePrivateFolder } from '../files/private-folder.ts';
import type { Log } from './log.ts';
import { redactFields, redactText } from './redact.ts';

export type EngineLog = Log & { close(): Promise<void> };

export type EngineLogOptions = {
  path: string;
  /** Also write every line to stderr. */
  foreground: boolean;
  level?: 'debug' | 'info';
  fileSizeBytes?: number;
  /** Where lines go that the file cannot take. */
  stderr?: { write(line: string): unknown };
};

const keptFiles = 4;
const retryAfterMs = 30_000;

export function createEngineLog(options: EngineLogOptions): EngineLog {
  const { path, foreground, level = 'info', fileSizeBytes = 5 * 1024 * 1024, stderr = process.stderr } = options;
  const file = openFile(path, fileSizeBytes, (text) => stderr.write(`${text}\n`));
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redactFields(fields) as Record<string, unknown>,
        bindings: (fields) => redactFields(fields) as Record<string, unknown>,
      },
      hooks: { streamWrite: redactText },
    },
    {
      write(line: string) {
        if (foreground) stderr.write(line);
        file.write(line);
      },
    },
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => logger.child(fields),
    close: () => file.close(),
  };
}

/**
 * A rotated file that never takes the engine down: when the disk is full the lines are dropped, it is said once, and the
 * file is tried again later.
 */
function openFile(path: string, sizeBytes: number, complain: (text: string) => void) {
  let stream: RotatingFileStream | null = null;
  let brokenAtMs = Number.NEGATIVE_INFINITY;
  const extension = '.log';
  const name = basename(path, extension);

  const fail = (error: Error) => {
    if (stream === null) return;
    stream = null;
    brokenAtMs = performance.now();
    complain(`The log ${path} cannot be written: ${error.message}`);
  };
  const open = (): RotatingFileStream | null => {
    makePrivateFolder(dirname(path));
    const opened = createStream((index) => (index ? `${name}.${index}${extension}` : `${name}${extension}`), {
      path: dirname(path),
      size: `${Math.max(1, Math.ceil(sizeBytes / 1024))}K`,
      rotate: keptFiles,
      mode: 0o600,
    });
    opened.on('error', fail);
    opened.on('warning', (error) => complain(`The log ${path} could not be rotated: ${error.message}`));
    return opened;
  };
  return {
    write(line: string) {
      if (stream === null && performance.now() - brokenAtMs > retryAfterMs) {
        try {
          stream = open();
        } catch (thrown) {
          brokenAtMs = performance.now();
          complain(`The log ${path} cannot be written: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
        }
      }
      stream?.write(line);
    },
    close: () =>
      new Promise<void>((resolve) => {
        const closing = stream;
        if (!closing) return resolve();
        closing.once('close', () => resolve());
        closing.once('error', () => resolve());
        closing.end();
      }),
  };
}
