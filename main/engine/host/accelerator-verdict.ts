/** What a run of the probe's payload means, in plain words. Pure: the run itself is in `accelerator-probe.ts`. */
import type { AcceleratorName } from '../../../contract/guest-spec.ts';
import { probeExitStatus, probeMagic, probeStages } from './probe-payload.ts';

/** How QEMU ended under the payload, and what the payload wrote. */
export type ProbeRun = {
  status: number | null;
  signal: NodeJS.Signals | null;
  timedOut: boolean;
  timeoutMs: number;
  startFailed: boolean;
  /** Stages and magic, as the payload wrote them. */
  trace: string;
  stderr: string;
};

export type ProbeOutcome =
  | 'usable'
  /** The device, module or operating-system feature is not there. */
  | 'missing'
  | 'denied'
  /** Another hypervisor holds it: may pass by itself, so it is asked anew each time. */
  | 'busy'
  | 'broken';

export type ProbeVerdict = { outcome: ProbeOutcome; reason: string };

const properNames: Record<AcceleratorName, string> = { kvm: 'KVM', hvf: 'HVF', whpx: 'WHPX', tcg: 'TCG' };

/** Whether the payload ran to its end, or what stopped it. `architecture` decides which exit status is the good one. */
export function judgeProbe(accelerator: AcceleratorName, architecture: 'x86_64' | 'aarch64', run: ProbeRun): ProbeVerdict {
  const name = properNames[accelerator];
  const goodStatus = architecture === 'x86_64' ? probeExitStatus : 0;
  if (run.status === goodStatus && run.trace.endsWith(probeMagic)) {
    return {
      outcome: 'usable',
      reason:
        accelerator === 'tcg'
          ? 'The test program ran to its end. TCG emulates every instruction: guests run anywhere, but slowly.'
          : 'The test program ran to its end.',
    };
  }
  return refusalBeforeStart(accelerator, run.stderr) ?? failureWhileRunning(name, run);
}

/** What QEMU says when it cannot even open the accelerator. */
function refusalBeforeStart(accelerator: AcceleratorName, stderr: string): ProbeVerdict | null {
  if (accelerator === 'kvm') {
    if (/Could not access KVM kernel module: No such (file or directory|device)/i.test(stderr)) {
      return { outcome: 'missing', reason: 'This computer offers no KVM: /dev/kvm does not exist or has no module behind it.' };
    }
    if (/Could not access KVM kernel module: Permission denied/i.test(stderr)) {
      return { outcome: 'denied', reason: 'KVM is there, but this user may not open /dev/kvm.' };
    }
    if (/KVM_CREATE_VM.*(Device or resource busy|busy)|KVM_CREATE_VM\) failed: (-)?16/i.test(stderr)) {
      return {
        outcome: 'busy',
        reason: 'Another hypervisor on this computer (VirtualBox, VMware, …) is using the processor’s virtualisation.',
      };
    }
    if (/kvm.*(not supported|disabled by bios)|KVM_CREATE_VM.*(Operation not supported|No such device)/i.test(stderr)) {
      return {
        outcome: 'missing',
        reason: 'The processor’s virtualisation is switched off in the computer’s firmware set-up, or missing.',
      };
    }
  }
  if (accelerator === 'hvf' && /HV_(DENIED|UNSUPPORTED|NO_DEVICE|BUSY)|hvf.*(denied|not supported|failed)/i.test(stderr)) {
    if (/HV_BUSY/.test(stderr)) return { outcome: 'busy', reason: 'Another program is using macOS’s hypervisor.' };
    if (/HV_DENIED/.test(stderr))
      return { outcome: 'denied', reason: 'macOS does not let this QEMU use its hypervisor: the binary is not signed for it.' };
    return { outcome: 'missing', reason: 'This Mac has no usable hypervisor framework.' };
  }
  if (accelerator === 'whpx' && /No accelerator found|WHvGetCapability|WHPX.*(not|failed)/i.test(stderr)) {
    return { outcome: 'missing', reason: 'The Windows Hypervisor Platform is not switched on.' };
  }
  if (/invalid accelerator|failed to find accelerator|No accelerator .*found/i.test(stderr)) {
    return { outcome: 'missing', reason: 'This QEMU was built without it.' };
  }
  return null;
}

function failureWhileRunning(name: string, run: ProbeRun): ProbeVerdict {
  const where = stoppedWhile(run.trace);
  const present = `${name} is present but unable to run guests`;
  const broken = (how: string): ProbeVerdict => ({ outcome: 'broken', reason: `${present}: ${how}` });
  const suberror = /KVM internal error\. Suberror: (\d+)/.exec(run.stderr);
  if (suberror) {
    const what = /emulation failure/.test(run.stderr) ? 'emulation failure' : `suberror ${suberror[1]}`;
    return broken(`the test program died of “KVM internal error … ${what}” while ${where}.`);
  }
  const msr = /failed to set MSR (0x[0-9a-f]+)/i.exec(run.stderr);
  if (msr) return broken(`QEMU aborted because the kernel refused model-specific register ${msr[1]} (“failed to set MSR ${msr[1]}”).`);
  if (run.startFailed) return broken('QEMU could not be started.');
  if (run.trace.endsWith('X')) return broken('the test program ran into an exception that correct hardware does not raise.');
  if (run.timedOut) return broken(`the test program hung while ${where} and was stopped after ${Math.round(run.timeoutMs / 1000)} s.`);
  if (run.status === 0) return broken(`the test program’s processor reset itself while ${where}.`);
  if (run.signal) return broken(`QEMU was ended by ${run.signal} while ${where}.`);
  const said = run.stderr.trim().split('\n').at(-1) ?? '';
  return broken(said ? `QEMU said “${said.slice(0, 300)}”.` : `QEMU ended with status ${run.status}.`);
}

/** The words for what came after the last stage that was reached. */
function stoppedWhile(trace: string): string {
  const letter = trace.at(-1) ?? '';
  return probeStages[letter] ?? 'powering off';
}
