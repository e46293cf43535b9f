/** What the doctor says of accelerators. Pure. */
import type { AcceleratorName } from '../../../contract/guest-spec.ts';
import type { Finding } from '../../../contract/host.ts';
import type { ProbeReport } from './accelerator-probe.ts';
import { finding, type HostFacts } from './finding-parts.ts';

const acceleratorTitles: Record<AcceleratorName, string> = {
  kvm: 'KVM (Linux)',
  hvf: 'Hypervisor.framework (macOS)',
  whpx: 'Windows Hypervisor Platform',
  tcg: 'Emulation (TCG)',
};

export function acceleratorFindings(facts: HostFacts): Finding[] {
  const native = facts.qemu.find((one) => one.described.architecture === facts.architecture) ?? facts.qemu[0];
  if (!native) return [];
  const all = native.probes.map((probe) => acceleratorFinding(facts, probe));
  const hardware = native.probes.some((probe) => probe.verdict.name !== 'tcg' && probe.verdict.usable);
  const any = native.probes.some((probe) => probe.verdict.usable);
  if (!any) {
    all.push(
      finding({
        id: 'accelerator/none',
        area: 'accelerator',
        severity: 'problem',
        title: 'No way to run guests',
        text: 'No accelerator of this QEMU could run the test program, not even emulation.',
        remedy: 'Install another build of QEMU and check again.',
      }),
    );
  } else if (!hardware) {
    all.push(
      finding({
        id: 'accelerator/emulated',
        area: 'accelerator',
        severity: 'warning',
        title: 'Guests are emulated',
        text: 'No hardware accelerator can run guests here, so guests are emulated: they work, but many times slower.',
        remedy: facts.isVirtual
          ? 'This computer is a virtual machine: switch nested virtualisation on at its host.'
          : 'Switch virtualisation (AMD-V or Intel VT-x) on in the computer’s firmware set-up.',
      }),
    );
  }
  return all;
}

function acceleratorFinding(facts: HostFacts, { verdict, outcome, detail }: ProbeReport): Finding {
  const base = {
    id: `accelerator/${verdict.name}`,
    area: 'accelerator',
    title: acceleratorTitles[verdict.name],
    text: verdict.reason,
    detail,
  } as const;
  if (outcome === 'usable') return finding({ ...base, severity: verdict.name === 'tcg' ? 'info' : 'ok' });
  if (verdict.name === 'kvm' && outcome === 'denied') {
    return finding({
      ...base,
      severity: 'warning',
      remedy: 'Add yourself to the group “kvm”, then log out and in again.',
      command: `sudo usermod -aG kvm ${facts.username}`,
    });
  }
  if (verdict.name === 'kvm' && outcome === 'missing') {
    return finding({
      ...base,
      severity: facts.isVirtual ? 'info' : 'warning',
      remedy: facts.isVirtual
        ? 'This computer is a virtual machine: switch nested virtualisation on at its host.'
        : 'Switch virtualisation on in the firmware set-up, then load the module: kvm_amd for AMD, kvm_intel for Intel.',
      command: facts.isVirtual ? null : 'sudo modprobe kvm_amd || sudo modprobe kvm_intel',
    });
  }
  if (verdict.name === 'whpx' && outcome === 'missing') {
    return finding({
      ...base,
      severity: 'warning',
      remedy: 'Switch the feature on in an administrator’s PowerShell, then restart Windows.',
      command: 'Enable-WindowsOptionalFeature -Online -FeatureName HypervisorPlatform',
    });
  }
  if (outcome === 'busy')
    return finding({ ...base, severity: 'warning', remedy: 'Shut down the guests of the other program, then check again.' });
  return finding({
    ...base,
    severity: verdict.name === 'tcg' ? 'problem' : 'warning',
    remedy:
      verdict.name === 'tcg'
        ? 'Install another build of QEMU and check again.'
        : facts.isVirtual
          ? 'Nothing is broken: guests run emulated. This computer is a virtual machine whose host does not pass virtualisation on properly; a host with working nested virtualisation would make them fast.'
          : 'Update the kernel and the computer’s firmware, then check again. Until then guests run emulated.',
  });
}
