/** Asks a guest's agent, and says in the contract's words why that did not work. */
import { Failure } from '../../../../contract/errors.ts';
import type { GuestSpec } from '../../../../contract/guest-spec.ts';
import type { AgentClient } from '../../agent/agent-client.ts';
import type { AgentWatch } from './agent-watch.ts';
import { guestFailure } from './qmp-failure.ts';

/** A large disk that was never trimmed takes its time. */
export const trimTimeoutMs = 10 * 60_000;

/** @throws Failure `guest/agent-absent`, `guest/agent-failed`, `guest/not-responding` */
export async function askAgent<T>(
  { name, agents }: Pick<GuestSpec, 'name' | 'agents'>,
  agent: Pick<AgentWatch, 'client' | 'isConnected'>,
  ask: (client: AgentClient) => Promise<T>,
): Promise<T> {
  if (!agent.isConnected) {
    throw new Failure('guest/agent-absent', `The guest agent does not run in ${name}.`, {
      hint: agents.qemu
        ? 'Install and start qemu-guest-agent in the guest.'
        : "Add the agent's channel to the guest's hardware, then install qemu-guest-agent in it.",
    });
  }
  try {
    return await ask(agent.client);
  } catch (thrown) {
    throw guestFailure(name, thrown);
  }
}
