/** Processors and memory that were added to a Linux guest lie idle in many distributions until somebody switches them on. */
import type { SpecDifference } from '../../../../../contract/guest-hardware.ts';
import type { AgentClient } from '../../../agent/agent-client.ts';

const timeoutMs = 15_000;

/** They show in the guest a moment after QEMU has added them. What is on already is left alone. */
const script = `
for attempt in 1 2 3 4 5 6 7 8; do
  for cpu in /sys/devices/system/cpu/cpu[0-9]*/online; do
    [ "$(cat "$cpu" 2>/dev/null)" = 0 ] && echo 1 > "$cpu"
  done
  for block in /sys/devices/system/memory/memory[0-9]*/state; do
    [ "$(cat "$block" 2>/dev/null)" = offline ] && echo online > "$block"
  done
  sleep 0.25
done
exit 0`;

export const needsWaking = (differences: readonly SpecDifference[]): boolean =>
  differences.some(({ path }) => path === 'cpu.online' || path === 'memoryMiB');

/** @throws errors of the agent; the guest has what was added all the same */
export async function wakeAdded(agent: AgentClient): Promise<void> {
  await agent.exec(['/bin/sh', '-c', script], timeoutMs);
}
