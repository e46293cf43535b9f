/**
 * Runs the probe's payload under one accelerator of one QEMU.
 *
 * INVARIANT: an accelerator counts as usable only when the payload ran to its end under it, with the CPU model that guests get
 * (`tests/integration/host-doctor.test.ts`).
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, uptime } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { AcceleratorName, GuestSpec } from '../../../contract/guest-spec.ts';
import { acceleratorVerdict } from '../../../contract/host.ts';
import { judgeProbe, type ProbeVerdict } from './accelerator-verdict.ts';
import { type AnswerCache, createAnswerCache } from './answer-cache.ts';
import { lastLines, runTool } from './bounded-process.ts';
import { buildArmPayload, buildX86Payload, probeConsolePort, probeExitPort } from './probe-payload.ts';

/** The QEMU to probe. `identity` changes when the binary does. */
export type ProbeSubject = {
  path: string;
  identity: string;
  architecture: GuestSpec['architecture'];
  machines: readonly string[];
};

/** A verdict with what QEMU said and what would help. */
export const probeReport = z.object({
  verdict: acceleratorVerdict,
  outcome: z.enum(['usable', 'missing', 'denied', 'busy', 'broken']),
  detail: z.string().nullable(),
});
export type ProbeReport = z.infer<typeof probeReport>;

export type AcceleratorProbe = {
  probe(subject: ProbeSubject, accelerator: AcceleratorName, options: { refresh: boolean }): Promise<ProbeReport>;
};

/** A healthy accelerator needs milliseconds; emulation on a busy computer a second or two. */
const timeoutMs: Record<AcceleratorName, number> = { kvm: 10_000, hvf: 10_000, whpx: 15_000, tcg: 40_000 };

/**
 * Probes are cached per binary and boot: a kernel, a nested hypervisor or a firmware setting changes with a boot only. What the user can mend
 * without one (permissions, a module, another hypervisor) is asked anew each time, which is quick because QEMU refuses at once.
 */
export function createAcceleratorProbe(cacheFile: string): AcceleratorProbe {
  const cache: AnswerCache<ProbeReport> = createAnswerCache(cacheFile, probeReport);
  const underWay = new Map<string, Promise<ProbeReport>>();

  const probeNow = async (subject: ProbeSubject, accelerator: AcceleratorName, key: string): Promise<ProbeReport> => {
    const { report, lasting } = await runProbe(subject, accelerator);
    if (lasting) await cache.set(key, report);
    return report;
  };

  return {
    async probe(subject, accelerator, { refresh }) {
      const key = [subject.identity, await bootId(), accelerator].join('|');
      const known = refresh ? undefined : await cache.get(key);
      if (known) return known;
      const joined = underWay.get(key) ?? probeNow(subject, accelerator, key);
      underWay.set(key, joined);
      return joined.finally(() => underWay.delete(key));
    },
  };
}

async function runProbe(subject: ProbeSubject, accelerator: AcceleratorName): Promise<{ report: ProbeReport; lasting: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), 'guesthouse-probe-'));
  try {
    const rom = join(folder, 'payload.rom');
    await writeFile(rom, subject.architecture === 'x86_64' ? buildX86Payload() : buildArmPayload());
    const attempt = await attemptWith(subject, accelerator, rom, cpuModelFor(accelerator));
    let { verdict } = attempt;
    if (accelerator === 'kvm' && subject.architecture === 'x86_64' && /failed to set MSR/i.test(attempt.stderr)) {
      verdict = withPlainCpu(verdict, (await attemptWith(subject, accelerator, rom, 'qemu64')).verdict);
    }
    const report: ProbeReport = {
      verdict: {
        name: accelerator,
        present: verdict.outcome !== 'missing',
        usable: verdict.outcome === 'usable',
        reason: verdict.reason,
        probedAt: new Date().toISOString(),
      },
      outcome: verdict.outcome,
      detail: verdict.outcome === 'usable' ? null : attempt.stderr.slice(0, 1500) || null,
    };
    // An emulator that did not finish in time says more about how busy the computer was than about itself.
    const lasting = verdict.outcome === 'usable' || (verdict.outcome === 'broken' && !(accelerator === 'tcg' && attempt.timedOut));
    return { report, lasting };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The CPU model that guests get for "auto". */
export function cpuModelFor(accelerator: AcceleratorName): string {
  return accelerator === 'kvm' || accelerator === 'hvf' ? 'host' : 'max';
}

async function attemptWith(
  subject: ProbeSubject,
  accelerator: AcceleratorName,
  rom: string,
  cpuModel: string,
): Promise<{ verdict: ProbeVerdict; stderr: string; timedOut: boolean }> {
  const deadlineMs = timeoutMs[accelerator];
  let stderrSoFar = '';
  const end = await runTool(subject.path, probeArguments(subject, accelerator, rom, cpuModel), {
    timeoutMs: deadlineMs,
    maxOutputBytes: 64 * 1024,
    limits: { cpuSeconds: deadlineMs / 1000 },
    // QEMU stays, stopped, after an internal error of the accelerator: there is nothing left to wait for.
    onOutput: (text, stream) => {
      if (stream === 'stderr') stderrSoFar += text;
      return /KVM internal error[\s\S]*\nRAX/.test(stderrSoFar) ? 'stop' : undefined;
    },
  });
  const verdict = judgeProbe(accelerator, subject.architecture, {
    status: end.status,
    signal: end.signal,
    timedOut: end.timedOut,
    timeoutMs: deadlineMs,
    startFailed: end.startError !== null,
    trace: end.stdout,
    stderr: end.stderr,
  });
  return { verdict, stderr: lastLines(end.stderr, 40), timedOut: end.timedOut };
}

function probeArguments(subject: ProbeSubject, accelerator: AcceleratorName, rom: string, cpuModel: string): string[] {
  const common = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-m', '64', '-smp', '1', '-bios', rom];
  const serial = ['-chardev', 'stdio,id=trace,signal=off'];
  if (subject.architecture === 'aarch64') {
    return ['-machine', 'virt', '-accel', accelerator, '-cpu', cpuModel, ...common, ...serial, '-serial', 'chardev:trace'];
  }
  return [
    '-machine',
    subject.machines.includes('q35') ? 'q35' : 'pc',
    '-accel',
    accelerator,
    '-cpu',
    cpuModel,
    ...common,
    ...serial,
    '-device',
    `isa-debugcon,chardev=trace,iobase=${probeConsolePort}`,
    '-device',
    `isa-debug-exit,iobase=${probeExitPort},iosize=1`,
  ];
}

/** Joins what happened with the host's CPU model and with a plain one. Guests get the host's, so the verdict stays. */
function withPlainCpu(asGuests: ProbeVerdict, plain: ProbeVerdict): ProbeVerdict {
  const prefix = /^[^:]*: /;
  const more =
    plain.outcome === 'usable'
      ? 'With the plain CPU model qemu64 it works.'
      : `With the plain CPU model qemu64, ${plain.reason.replace(prefix, '')}`;
  return { outcome: asGuests.outcome, reason: `${asGuests.reason} ${more}` };
}

let knownBootId: Promise<string> | null = null;

/** Something that changes when the computer is booted. */
function bootId(): Promise<string> {
  knownBootId ??= readBootId();
  return knownBootId;
}

async function readBootId(): Promise<string> {
  if (process.platform === 'linux') return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  if (process.platform === 'darwin') {
    const end = await runTool('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { timeoutMs: 5000 });
    if (end.status === 0) return end.stdout.trim();
  }
  // The instant of the boot, rounded so that it is the same each time it is computed.
  return `booted-${Math.round((Date.now() / 1000 - uptime()) / 60)}`;
}
