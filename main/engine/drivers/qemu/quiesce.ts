/** Bringing a guest's file systems to rest by its agent, and letting them go on. */
import type { Log } from '../../log/log.ts';
import type { AgentWatch } from './agent-watch.ts';

/** The guest writes all that it holds back, which on a slow disk takes its time; what waits for the disk in it stands still meanwhile. */
const quiesceTimeoutMs = 10_000;

/** Whether they are at rest now. Never throws: a guest without an agent, or whose agent cannot, is not brought to rest. */
export async function quiesce(agent: AgentWatch, log: Log): Promise<boolean> {
  if (!agent.isConnected) return false;
  try {
    return (await agent.client.freezeFileSystems(quiesceTimeoutMs)) > 0;
  } catch (thrown) {
    log.info({ error: String(thrown) }, 'The guest agent could not bring the file systems to rest.');
    // It may have done a part of it, or do it yet.
    await unquiesce(agent, log);
    return false;
  }
}

export async function unquiesce(agent: AgentWatch, log: Log): Promise<void> {
  for (let attempt = 1; agent.isConnected && attempt <= 3; attempt++) {
    try {
      await agent.client.thawFileSystems(quiesceTimeoutMs);
      return;
    } catch (thrown) {
      log.warn({ error: String(thrown), attempt }, 'The guest agent could not let the file systems go on.');
    }
  }
}
