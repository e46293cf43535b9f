/**
 * The identity of the system inside a clone: its host name, machine id and SSH host keys. They lie on the disk that was cloned, so the clone
 * has its original's until somebody inside changes them; the guest agent does, when it answers for the first time.
 */
import { Failure, toGuesthouseError } from '../../../contract/errors.ts';
import type { InnerIdentity } from '../../../contract/guest-lineage.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { Guests } from '../guests/guests.ts';
import type { Log } from '../log/log.ts';

/** Making SSH host keys takes an emulated guest a while. */
const scriptTimeoutSeconds = 180;

/**
 * For any Linux with a shell. The machine id is emptied and set anew, as machine-id(5) says to do with a cloned system; where there is no
 * systemd to do so, a random one is written. Keys are only made anew where there were some and OpenSSH can.
 */
const script = `
set -e
if [ -n "$1" ]; then
  hostnamectl set-hostname "$1" 2>/dev/null || { echo "$1" > /etc/hostname; hostname "$1"; }
fi
: > /etc/machine-id
[ -L /var/lib/dbus/machine-id ] || rm -f /var/lib/dbus/machine-id
systemd-machine-id-setup >/dev/null 2>&1 || tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id
if command -v ssh-keygen >/dev/null && ls /etc/ssh/ssh_host_*_key >/dev/null 2>&1; then
  rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
  ssh-keygen -A >/dev/null
fi
`;

/** Why the system in a clone of such a guest cannot be given an identity of its own; null when it can. */
export function identityProblem(spec: Pick<GuestSpec, 'os' | 'agents'>): string | null {
  if (spec.os.family === 'windows') {
    return 'Windows keeps its identity. Prepare the original with Sysprep before it is cloned.';
  }
  if (spec.os.family !== 'linux' && spec.os.id !== null) return `${spec.os.name} has no way to be given a new identity from outside.`;
  if (!spec.agents.qemu) return 'The guest has no channel for its agent, so nothing can reach the system inside.';
  return null;
}

export const awaited = (hostname: string): InnerIdentity => ({
  hostname,
  state: 'waiting',
  text: 'The system has the host name and machine id of the original until its guest agent answers for the first time.',
});

/** Hears of every change of a guest, and gives it its identity when its agent answers. */
export function createIdentityGiver(guests: () => Pick<Guests, 'exec' | 'setIdentity'>, log: Log) {
  const underWay = new Set<string>();
  const give = async (guest: Guest, identity: InnerIdentity): Promise<void> => {
    try {
      const { exitStatus, stderrBase64 } = await guests().exec(
        guest.id,
        ['/bin/sh', '-c', script, 'sh', identity.hostname ?? ''],
        scriptTimeoutSeconds,
      );
      if (exitStatus !== 0) {
        const said = Buffer.from(stderrBase64, 'base64').toString('utf8').trim().slice(0, 500);
        throw new Failure('guest/agent-failed', `It ended with ${exitStatus}${said ? `: ${said}` : ''}.`);
      }
      guests().setIdentity(guest.id, {
        ...identity,
        state: 'done',
        text: 'The system has a host name, a machine id and SSH host keys of its own. Programs that were running see them after a restart.',
      });
    } catch (thrown) {
      const { code, message } = toGuesthouseError(thrown);
      log.warn({ guest: guest.id, error: thrown }, 'A clone could not be given an identity of its own.');
      // Shut down meanwhile, or not answering: it is tried again at the next start.
      if (code === 'guest/denied' || code === 'guest/not-responding' || code === 'guest/not-found') return;
      guests().setIdentity(guest.id, {
        ...identity,
        state: 'failed',
        text: `The system still has the host name and machine id of the original: its agent could not change them. ${message}`,
      });
    }
  };
  return {
    guestChanged(guest: Guest): void {
      const { identity, state } = guest;
      if (identity?.state !== 'waiting' || state.status !== 'running' || !state.run?.qemuAgent || underWay.has(guest.id)) return;
      underWay.add(guest.id);
      void give(guest, identity).finally(() => underWay.delete(guest.id));
    },
  };
}
