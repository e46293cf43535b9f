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

/** As {@link wholeNumber}; "none" is null. */
export function wholeNumberOrNone(least: number, most: number): (text: string) => number | null {
  const number = wholeNumber(least, most);
  return (text) => (text === 'none' ? null : number(text));
}

/** "0,1,4"; nothing between the quotes is none. */
export function wholeNumbers(least: number, most: number): (text: string) => number[] {
  const number = wholeNumber(least, most);
  return (text) => (text.trim() === '' ? [] : text.split(',').map((one) => number(one.trim())));
}

export function onOrOff(text: string): boolean {
  if (text === 'on' || text === 'off') return text === 'on';
  throw new InvalidArgumentError('on or off is needed.');
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
