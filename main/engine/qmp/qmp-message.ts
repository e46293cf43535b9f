/** One line of QMP, from wire to typed. https://www.qemu.org/docs/master/interop/qmp-spec.html */

export type QmpEvent = {
  event: string;
  data: Record<string, unknown>;
  /** Host time in ms since 1970. */
  atMs: number;
};

export type QmpMessage =
  | { kind: 'greeting'; version: string; capabilities: readonly string[] }
  | { kind: 'return'; id: number | null; value: unknown }
  | { kind: 'error'; id: number | null; class: string; desc: string }
  | { kind: 'event'; event: QmpEvent }
  /** Not QMP; `why` says what is wrong with it. */
  | { kind: 'garbage'; why: string };

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const idOf = (value: unknown): number | null => (typeof value === 'number' && Number.isSafeInteger(value) ? value : null);
const textOf = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);
const numberOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

/** Never throws: what cannot be understood is `garbage`. */
export function parseQmpMessage(line: string): QmpMessage {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { kind: 'garbage', why: 'not JSON' };
  }
  if (!isRecord(value)) return { kind: 'garbage', why: 'not an object' };
  if (isRecord(value.QMP)) return parseGreeting(value.QMP);
  if (typeof value.event === 'string') {
    const stamp = isRecord(value.timestamp) ? value.timestamp : {};
    return {
      kind: 'event',
      event: {
        event: value.event,
        data: isRecord(value.data) ? value.data : {},
        atMs: numberOf(stamp.seconds) * 1000 + Math.floor(numberOf(stamp.microseconds) / 1000),
      },
    };
  }
  if (isRecord(value.error)) {
    return {
      kind: 'error',
      id: idOf(value.id),
      class: textOf(value.error.class, 'GenericError'),
      desc: textOf(value.error.desc, 'QEMU gave no reason.'),
    };
  }
  if ('return' in value) return { kind: 'return', id: idOf(value.id), value: value.return };
  return { kind: 'garbage', why: 'neither a reply nor an event' };
}

function parseGreeting(greeting: Record<string, unknown>): QmpMessage {
  const qemu = isRecord(greeting.version) && isRecord(greeting.version.qemu) ? greeting.version.qemu : {};
  const version = [qemu.major, qemu.minor, qemu.micro].map(numberOf).join('.');
  const capabilities = Array.isArray(greeting.capabilities) ? greeting.capabilities.filter((one) => typeof one === 'string') : [];
  return { kind: 'greeting', version, capabilities };
}

/** A command as one line. `oob` lets it overtake commands that QEMU is busy with. */
export function buildQmpCommand(id: number, command: string, argumentsOf: Record<string, unknown>, oob: boolean): string {
  return `${JSON.stringify({ [oob ? 'exec-oob' : 'execute']: command, arguments: argumentsOf, id })}\n`;
}
