import { expect, test } from 'vitest';
import { parseForwards } from './live-network.ts';

/** As QEMU 7.2 with libslirp 4.7 says it. */
const usernet = `Hub -1 (nic0-net):
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
  TCP[HOST_FORWARD]  15       127.0.0.1  2222       10.0.2.15    22     0     0
  UDP[HOST_FORWARD]  17               *  5353       10.0.2.15    53     0     0
  TCP[ESTABLISHED]   18       10.0.2.15 49152      93.184.216.34 443   0     0
Hub -1 (nic1-net):
  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
  TCP[HOST_FORWARD]  16       127.0.0.1  8080       10.0.3.15    80     0     0
`;

test('the forwards of one network are read from what the monitor says of all', () => {
  expect(parseForwards(usernet, 'nic0-net')).toEqual([
    { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 2222, guestPort: 22 },
    { protocol: 'udp', hostAddress: '0.0.0.0', hostPort: 5353, guestPort: 53 },
  ]);
  expect(parseForwards(usernet.replaceAll('\n', '\r\n'), 'nic1-net')).toEqual([
    { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 8080, guestPort: 80 },
  ]);
  expect(parseForwards(usernet, 'nic2-net')).toEqual([]);
  expect(parseForwards('', 'nic0-net')).toEqual([]);
});
