/** Where a guest with several monitors has the pointer: its agent is told. The test leaves what arrives at the agent's port in /tmp/agent-heard. */
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { runInGuest } from './console-page.ts';
import { heardByAgent } from './fake-vdagent.ts';
import { until } from './until.ts';

/** VDAgentMouseState, with the display's own pixels. */
export type PointerState = { xPx: number; yPx: number; buttons: number; display: number };

/** VD_AGENT_MOUSE_STATE */
const mouseState = 1;
/** VD_AGENT_LBUTTON_MASK */
export const leftButton = 1 << 1;

/** All that the agent was told of the pointer, once the last of it is `wanted`. */
export async function untilPointer(client: EngineClient, guest: GuestId, wanted: PointerState): Promise<PointerState[]> {
  let states: PointerState[] = [];
  await until('the pointer is there', async () => {
    states = statesIn(Buffer.from(await runInGuest(client, guest, 'base64 /tmp/agent-heard'), 'base64'));
    return JSON.stringify(states.at(-1)) === JSON.stringify(inOrder(wanted));
  }).catch((error: unknown) => {
    throw new Error(`It was ${JSON.stringify(states.slice(-8))}, and not ${JSON.stringify(wanted)}`, { cause: error });
  });
  return states;
}

function statesIn(arrived: Buffer): PointerState[] {
  const messages = heardByAgent(arrived);
  const states: PointerState[] = [];
  for (let at = 0; at + 20 <= messages.byteLength; at += 20 + messages.readUInt32LE(at + 16)) {
    const body = messages.subarray(at + 20, at + 20 + messages.readUInt32LE(at + 16));
    if (messages.readUInt32LE(at + 4) !== mouseState || body.byteLength < 13) continue;
    states.push(
      inOrder({ xPx: body.readUInt32LE(0), yPx: body.readUInt32LE(4), buttons: body.readUInt32LE(8), display: body.readUInt8(12) }),
    );
  }
  return states;
}

function inOrder({ xPx, yPx, buttons, display }: PointerState): PointerState {
  return { xPx, yPx, buttons, display };
}
