/** Network cards of a guest that runs. */
import { Failure } from '../../../../../contract/errors.ts';
import type { Nic, PortForward } from '../../../../../contract/guest-spec.ts';
import { bridgeOf, forwardRule, netdevOf, nicDevice, userNetwork } from '../arguments/network.ts';
import { bridgeProblem, findBridgeHelper } from '../bridge.ts';
import { checkForwards } from '../host-ports.ts';
import { joinNetworks } from '../isolated-networks.ts';
import { type Ensure, freePort, hasDevice, humanCommand, type LiveGuest, plug, unplug } from './live-guest.ts';

export const ensureNic: Ensure = async (guest, id, to) => {
  const index = to.nics.findIndex((one) => one.id === id);
  const nic = to.nics[index];
  if (!nic) {
    await unplug(guest, id);
    await guest.execute('netdev_del', { id: netdevOf(id) }).catch(() => {
      // It went with an earlier attempt.
    });
    return;
  }
  if (await hasDevice(guest, id)) return;
  await guest.execute('netdev_del', { id: netdevOf(id) }).catch(() => {
    // Nothing was left of an earlier attempt.
  });
  await checkForwards({ ...to, nics: [nic] }, guest.context.portHolders);
  await joinNetworks(guest.qemuPath, guest.guestId, [nic], guest.files);
  await guest.execute('netdev_add', netdev(guest, nic, index));
  try {
    await plug(guest, nicDevice(nic), freePort(guest));
  } catch (thrown) {
    await guest.execute('netdev_del', { id: netdevOf(id) }).catch(() => {});
    throw thrown;
  }
  if (!nic.linkUp) await ensureLink(guest, id, to);
};

function netdev(guest: LiveGuest, nic: Nic, index: number) {
  const id = netdevOf(nic.id);
  if (nic.mode === 'bridge') {
    const bridge = bridgeOf(nic, index);
    const problem = bridgeProblem(bridge);
    if (problem) throw new Failure('guest/bridge-denied', problem.message, { hint: problem.hint });
    // The helper is a program of its own, and what QEMU shut itself in with at its start forbids it to run any.
    if (!guest.mayStartPrograms) {
      throw new Failure(
        'guest/denied',
        `${guest.name} started without a bridge, and shut itself off from the helper that a bridge needs.`,
        {
          hint: 'Start it again with the bridge.',
        },
      );
    }
    const helper = findBridgeHelper();
    return { type: 'bridge', id, br: bridge, ...(helper ? { helper } : {}) };
  }
  if (nic.mode === 'isolated')
    return { type: 'stream', id, server: false, addr: { type: 'unix', path: guest.files.networkSocket(nic.id) } };
  const net = userNetwork(nic, index);
  return {
    type: 'user',
    id,
    restrict: nic.restricted,
    ...(net ? { net } : {}),
    hostfwd: nic.forwards.map((forward) => ({ str: forwardRule(forward) })),
  };
}

export const ensureLink: Ensure = async (guest, id, to) => {
  const nic = to.nics.find((one) => one.id === id);
  if (nic) await guest.execute('set_link', { name: id, up: nic.linkUp });
};

/** Only QEMU's other monitor can change forwards. Every part of a rule has passed the schema: an address, numbers, an id. */
export const ensureForwards: Ensure = async (guest, id, to) => {
  const nic = to.nics.find((one) => one.id === id);
  if (!nic) return;
  const present = parseForwards(await humanCommand(guest, 'info usernet', () => false), netdevOf(id));
  const wanted = nic.forwards;
  for (const one of present.filter((each) => !wanted.some((other) => sameForward(each, other)))) {
    await humanCommand(
      guest,
      `hostfwd_remove ${netdevOf(id)} ${one.protocol}:${one.hostAddress}:${one.hostPort}`,
      (answer) => !/removed/.test(answer),
    );
  }
  const missing = wanted.filter((each) => !present.some((other) => sameForward(each, other)));
  await checkForwards({ ...to, nics: [{ ...nic, forwards: missing }] }, guest.context.portHolders);
  for (const one of missing) await humanCommand(guest, `hostfwd_add ${netdevOf(id)} ${forwardRule(one)}`, (answer) => answer.trim() !== '');
};

const sameForward = (one: PortForward, other: PortForward): boolean => forwardRule(one) === forwardRule(other);

/**
 * The forwards of one network in what "info usernet" says (net/slirp.c and libslirp's misc.c):
 * ```
 * Hub -1 (nic0-net):
 *   Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
 *   TCP[HOST_FORWARD]  13       127.0.0.1  2222       10.0.2.15    22     0     0
 * ```
 */
export function parseForwards(text: string, netdev: string): PortForward[] {
  const forwards: PortForward[] = [];
  let isOurs = false;
  for (const line of text.split(/\r?\n/)) {
    const heading = /^\S.*\(([^()]+)\):$/.exec(line);
    if (heading) isOurs = heading[1] === netdev;
    const match = /^\s+(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+(\*|[\d.]+)\s+(\d+)\s+[\d.]+\s+(\d+)/.exec(line);
    if (!isOurs || !match) continue;
    const [, protocol, hostAddress, hostPort, guestPort] = match;
    forwards.push({
      protocol: protocol === 'UDP' ? 'udp' : 'tcp',
      hostAddress: hostAddress === '*' || hostAddress === undefined ? '0.0.0.0' : hostAddress,
      hostPort: Number(hostPort),
      guestPort: Number(guestPort),
    });
  }
  return forwards;
}
