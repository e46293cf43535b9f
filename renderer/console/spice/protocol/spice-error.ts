/** Why a SPICE session was ended: what a server sent cannot be right, or is more than is accepted. */

export class SpiceError extends Error {
  override name = 'SpiceError';
  /** What exactly is wrong, in words. */
  readonly reason: string;
  /** "display", "main", …; null as long as nobody said which channel it was. */
  readonly channel: string | null;
  /** The message's name as in spice-protocol: "DRAW_COPY". Null outside of messages. */
  readonly messageName: string | null;
  /** The server said no, or is none that is known here: nothing is wrong with what it sent. */
  readonly refused: boolean;

  constructor(reason: string, channel: string | null = null, messageName: string | null = null, refused = false) {
    super([channel, messageName, reason].filter((part) => part !== null).join(': '));
    this.reason = reason;
    this.channel = channel;
    this.messageName = messageName;
    this.refused = refused;
  }

  static refused(reason: string): SpiceError {
    return new SpiceError(reason, null, null, true);
  }

  /** The same error with the place named, where it is not yet. */
  within(channel: string, messageName: string | null = null): SpiceError {
    return new SpiceError(this.reason, this.channel ?? channel, this.messageName ?? messageName, this.refused);
  }
}
