import { Failure } from '../../../../contract/errors.ts';
import { AgentAbsentError, AgentError, AgentTimeoutError } from '../../agent/agent-client.ts';
import { QmpClosedError, QmpError, QmpTimeoutError } from '../../qmp/qmp-errors.ts';

/** What went wrong between us and the guest `name`, as the contract says it. */
export function guestFailure(name: string, thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown;
  const because = { cause: thrown };
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof QmpTimeoutError) {
    return new Failure(
      'guest/not-responding',
      `QEMU does not answer for ${name}.`,
      { detail, hint: 'Wait a moment, or force the guest off.' },
      because,
    );
  }
  if (thrown instanceof QmpClosedError) return new Failure('guest/not-responding', `${name} has just ended.`, { detail }, because);
  if (thrown instanceof QmpError) return new Failure('guest/qemu-refused', `QEMU refused: ${thrown.desc}`, { detail }, because);
  if (thrown instanceof AgentAbsentError) {
    return new Failure(
      'guest/agent-absent',
      `The guest agent does not run in ${name}.`,
      { detail, hint: 'Install and start qemu-guest-agent in the guest.' },
      because,
    );
  }
  if (thrown instanceof AgentTimeoutError) return new Failure('guest/not-responding', `${name}: ${detail}`, {}, because);
  if (thrown instanceof AgentError) return new Failure('guest/agent-failed', `The guest agent of ${name} says: ${detail}`, {}, because);
  return new Failure('engine/internal', `Something unexpected went wrong with ${name}: ${detail}`, {}, because);
}
