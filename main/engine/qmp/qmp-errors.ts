/** What can go wrong between the engine and one QEMU. Turned into `Failure` by whoever knows which guest it was about. */

/** QEMU answered a command with an error. `qmpClass` is "GenericError", "CommandNotFound", "DeviceNotFound", "DeviceNotActive" or "KVMMissingCap". */
export class QmpError extends Error {
  override name = 'QmpError';
  readonly command: string;
  readonly qmpClass: string;
  readonly desc: string;
  constructor(command: string, qmpClass: string, desc: string) {
    super(`${command}: ${desc}`);
    this.command = command;
    this.qmpClass = qmpClass;
    this.desc = desc;
  }
}

/** The connection ended before the answer came: QEMU ended, or sent something that is not QMP. */
export class QmpClosedError extends Error {
  override name = 'QmpClosedError';
}

/** No answer within the deadline. A late answer is dropped; the connection stays usable. */
export class QmpTimeoutError extends Error {
  override name = 'QmpTimeoutError';
  readonly command: string;
  constructor(command: string, timeoutMs: number) {
    super(`QEMU did not answer ${command} within ${timeoutMs} ms.`);
    this.command = command;
  }
}
