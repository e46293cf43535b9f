/** Runs a tool that must not be trusted to end, to be quiet or to be modest. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

export type ToolEnd = {
  /** Null when a signal ended it or it never ran. */
  status: number | null;
  signal: NodeJS.Signals | null;
  /** It was killed because `timeoutMs` had passed. */
  timedOut: boolean;
  /** It could not be started at all. */
  startError: NodeJS.ErrnoException | null;
  stdout: string;
  stderr: string;
};

export type ToolOptions = {
  timeoutMs: number;
  /** What is kept of each of stdout and stderr; the rest is read and thrown away. */
  maxOutputBytes?: number;
  signal?: AbortSignal;
  cwd?: string;
  /** Written to its standard input, which is empty otherwise. */
  input?: string;
  environment?: NodeJS.ProcessEnv;
  /** Limits that the kernel enforces, on systems with `ulimit`; on Linux the tool also ends when the engine is killed. */
  limits?: { cpuSeconds?: number; addressSpaceMiB?: number; fileSizeMiB?: number };
  /**
   * It starts programs of its own. They are a group by themselves, which ends as a whole when the tool ends, when it is killed, and, on Linux
   * and macOS, when the engine is.
   */
  withChildren?: boolean;
  /** Sees output as it comes; the process is killed when it answers "stop". */
  onOutput?: (text: string, stream: 'stdout' | 'stderr') => 'stop' | undefined;
};

/** Part of util-linux; becomes the command it is given, as `exec` does. */
const setpriv = '/usr/bin/setpriv';

/** Runs `path` with `args` and settles when it has ended and its pipes are closed. Never rejects. */
export function runTool(path: string, args: readonly string[], options: ToolOptions): Promise<ToolEnd> {
  const { maxOutputBytes = 4 * 1024 * 1024 } = options;
  const isGroup = (options.withChildren ?? false) && process.platform !== 'win32';
  const limited = options.limits && process.platform !== 'win32' ? withLimits(path, args, options.limits) : [path, ...args];
  const single = options.limits && existsSync(setpriv) ? endsWithEngine(limited) : limited;
  const command = isGroup ? ['/bin/sh', '-c', watchedGroup, 'sh', ...limited] : single;
  return new Promise((resolve) => {
    const kept = { stdout: '', stderr: '' };
    let timedOut = false;
    const end = (status: number | null, signal: NodeJS.Signals | null, startError: NodeJS.ErrnoException | null) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', kill);
      resolve({ status, signal, timedOut, startError, ...kept });
    };
    const [program = path, ...rest] = command;
    const child = spawn(program, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: options.cwd ?? '/',
      // Tools translate their messages; what is recognised here is English.
      env: { ...(options.environment ?? process.env), LC_ALL: 'C' },
      windowsHide: true,
      detached: isGroup,
    });
    // Who does not read it all has ended, and says why.
    child.stdin.on('error', () => undefined);
    if (!isGroup) child.stdin.end(options.input);
    const kill = () => (isGroup ? killGroup(child.pid) : void child.kill('SIGKILL'));
    // What it leaves behind would hold on to its output, and to the disk it worked on.
    if (isGroup) child.on('exit', () => killGroup(child.pid));
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, options.timeoutMs);
    if (options.signal?.aborted) kill();
    options.signal?.addEventListener('abort', kill);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8');
      child[name].on('data', (text: string) => {
        kept[name] += text.slice(0, Math.max(0, maxOutputBytes - kept[name].length));
        if (options.onOutput?.(text, name) === 'stop') kill();
      });
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) end(null, null, error);
    });
    child.on('close', (status, signal) => {
      if (child.pid !== undefined) end(status, signal, null);
    });
  });
}

/**
 * Runs a command, and beside it one that reads from a pipe whose other end is the engine's: when the engine is gone, so is the whole group. The
 * command itself has nothing to read.
 */
const watchedGroup = 'exec 3<&0 </dev/null; "$@" 3<&- & tool=$!; { cat <&3 >/dev/null; kill -KILL 0; } & wait $tool';

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}

/** The command, started by a shell that lowers its own limits and then becomes the command, so that the pid stays the same. */
function withLimits(path: string, args: readonly string[], limits: NonNullable<ToolOptions['limits']>): string[] {
  // Some tools end by abort(): their core dumps are nobody's.
  const script = ['ulimit -c 0'];
  if (limits.cpuSeconds !== undefined) script.push(`ulimit -t ${Math.ceil(limits.cpuSeconds)}`);
  if (limits.addressSpaceMiB !== undefined) script.push(`ulimit -v ${Math.ceil(limits.addressSpaceMiB) * 1024}`);
  // POSIX counts file sizes in blocks of 512 bytes.
  if (limits.fileSizeMiB !== undefined) script.push(`ulimit -f ${Math.ceil(limits.fileSizeMiB) * 2048}`);
  // A shell that cannot set a limit (macOS has no -v) still has to run the tool: the deadline is the second line.
  return ['/bin/sh', '-c', `${script.map((line) => `${line} 2>/dev/null`).join('; ')}; exec "$@"`, 'sh', path, ...args];
}

/**
 * The command, killed with the engine: one that outlived it would write behind the next one's back, without a deadline. Whoever has no parent
 * any more is told nothing of its end, so an engine that died before the kernel was asked is looked for afterwards.
 */
function endsWithEngine(command: readonly string[]): string[] {
  const script = 'test "$PPID" = "$1" || exit 1; shift; exec "$@"';
  return [setpriv, '--pdeathsig', 'KILL', '/bin/sh', '-c', script, 'sh', String(process.pid), ...command];
}

/** The last lines of what a tool said, for a `detail`. */
export function lastLines(text: string, count = 6): string {
  return text.trimEnd().split(/\r?\n/).slice(-count).join('\n').slice(-2000);
}
