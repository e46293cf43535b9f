/** What time it is, as something that a test can set. */
export type Clock = { nowMs(): number };

export const systemClock: Clock = { nowMs: () => Date.now() };

/** Now, as the contract writes instants: ISO 8601 in UTC with milliseconds. */
export function instantNow(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString();
}
