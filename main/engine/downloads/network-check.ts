/** Says whether the servers of the list can be reached: quick, seldom, and nobody waits for it but who asked. */
import type { NetworkCheck } from '../../../contract/download.ts';
import { toGuesthouseError } from '../../../contract/errors.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import { type Http, HttpProblem, type HttpTimings, hostOf, letGo } from './http.ts';

const keptMs = 60_000;
const answerWithinMs = 3000;
/** So many servers are asked at once; one that answers is enough. */
const asked = 3;

export function createNetworkCheck(deps: {
  clock: Clock;
  http(timings: Partial<HttpTimings>): Promise<Http>;
  /** An address of each server. */
  hosts: readonly string[];
  proxy(): string | null;
}): { check(refresh: boolean): Promise<NetworkCheck> } {
  let last: { atMs: number; answer: Promise<NetworkCheck> } | null = null;

  const look = async (): Promise<NetworkCheck> => {
    const end = (reachable: boolean, text: string, proxy: string | null): NetworkCheck => ({
      reachable,
      text,
      proxy,
      checkedAt: instantNow(deps.clock),
    });
    let proxy: string | null = null;
    let http: Http;
    try {
      proxy = deps.proxy();
      http = await deps.http({ connectMs: answerWithinMs, headersMs: answerWithinMs });
    } catch (thrown) {
      return end(false, toGuesthouseError(thrown).message, proxy);
    }
    const giveUp = AbortSignal.timeout(answerWithinMs);
    const ask = async (address: string): Promise<string> => {
      try {
        letGo((await http.get(address, { signal: giveUp })).body);
      } catch (thrown) {
        // Whatever a server says, it was reached.
        if (!(thrown instanceof HttpProblem) || thrown.kind === 'unreachable' || thrown.kind === 'stalled' || thrown.kind === 'cut')
          throw thrown;
        if (thrown.kind === 'untrusted') throw thrown;
      }
      return hostOf(address);
    };
    try {
      return end(true, `${await Promise.any(deps.hosts.slice(0, asked).map(ask))} answers.`, proxy);
    } catch (thrown) {
      const problems = thrown instanceof AggregateError ? thrown.errors : [thrown];
      const said = problems.find((problem) => problem instanceof HttpProblem)?.message ?? 'No server answers in time.';
      return end(false, said, proxy);
    } finally {
      await http.close();
    }
  };

  return {
    check(refresh) {
      const nowMs = deps.clock.nowMs();
      if (!refresh && last && nowMs - last.atMs < keptMs) return last.answer;
      last = { atMs: nowMs, answer: look() };
      return last.answer;
    },
  };
}
