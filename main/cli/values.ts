/** Values on the command line: parsers that refuse with a sentence. */
import { InvalidArgumentError } from 'commander';
import type { PortForward } from '../../contract/guest-spec.ts';

export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`A whole number from ${least} to ${most} is needed.`);
    return value;
  };
}

/** "tcp:2222:22" or "tcp:127.0.0.1:2222:22", collected over repetitions. */
export function collectForward(text: string, before: PortForward[] = []): PortForward[] {
  const match = /^(tcp|udp):(?:(\d+\.\d+\.\d+\.\d+):)?(\d{1,5}):(\d{1,5})$/.exec(text);
  if (!match) throw new InvalidArgumentError('A port forward is written tcp:HOSTPORT:GUESTPORT or tcp:ADDRESS:HOSTPORT:GUESTPORT.');
  const [, protocol, hostAddress = '127.0.0.1', hostPort, guestPort] = match;
  return [
    ...before,
    { protocol: protocol === 'udp' ? 'udp' : 'tcp', hostAddress, hostPort: Number(hostPort), guestPort: Number(guestPort) },
  ];
}

export function collect(text: string, before: string[] = []): string[] {
  return [...before, text];
}
