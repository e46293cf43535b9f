import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { GuestId } from '../../contract/ids.ts';
import { spiceMessage, takePlaceOf, u32 } from '../../tests/support/hostile-spice.ts';
import { type Figure, type Measure, median, quantile } from '../figures.ts';
import { guesthouseApp, idlePercent, withApp } from '../measured-app.ts';
import { createStarterGuest, until, withEngine } from '../measured-engine.ts';

const rateHz = 48_000;
const packetFrames = 480;
const packetMs = 10;
const pulseEveryPackets = 50;
const pulses = 60;
const silentSeconds = 10;
const playback = { type: 5, DATA: 101, START: 103, STOP: 104 };
/** What is looked for, of 1; a pulse is twice as loud. */
const loudFrom = 0.25;

/**
 * A stand-in for the guest's server sends a packet each hundredth of a second and says when it sent a loud one; the page says when that left for the sound
 * card. Both clocks are the computer's own.
 */
export const sound: Measure = {
  name: 'sound',
  about: 'from a server’s sound to the sound card, beside a sound that the page itself makes, and the processor it takes',
  run: (log) =>
    withEngine(async ({ client, environment }) => {
      const guest = await createStarterGuest(client, 'sound');
      await client.call('guest.start', { guest: guest.id });
      await until(client, guest.id, 'running', 60_000);
      // What a guest that boots costs is not to be in the figures.
      await pause(45_000);
      const { spiceSocketPath } = await client.call('guest.consoles', { guest: guest.id });
      if (!spiceSocketPath) throw new Error('the guest has no SPICE socket');
      const sent: number[] = [];
      const server = await takePlaceOf(spiceSocketPath, { kind: 'inject', channel: playback.type, message: (page) => play(page, sent) });
      try {
        return await withApp(guesthouseApp, environment, async (electron, page) => {
          const pid = electron.process().pid;
          if (pid === undefined) throw new Error('the app has no process');
          await listenIn(page);
          await showConsole(page, guest.id);
          while (sent.length < pulses + 4) await pause(200);
          const playing = await idlePercent([pid], silentSeconds);
          const { heard, outputMs, ownMs } = await page.evaluate('sound.result()').then((result) => result as Heard);
          sent.push(Number.POSITIVE_INFINITY);
          await pause(6000);
          const silent = await idlePercent([pid], silentSeconds);
          // The first ones fall into the time in which the sound card begins.
          const latencies = sent.slice(4, pulses).flatMap((at) => {
            const arrived = heard.find((one) => one > at && one < at + 400);
            return arrived === undefined ? [] : [arrived - at];
          });
          log(`${latencies.length} of ${pulses - 4} pulses, ${outputMs.toFixed(1)} ms more until the card plays them`);
          const own = { what: 'a sound of the page itself', value: median(ownMs) };
          const aim: Figure['aim'] = { kind: 'value', limit: 100 - outputMs };
          return [
            { what: 'sound, from the server to the sound card, median', value: median(latencies), unit: 'ms', beside: own, aim },
            { what: 'the same, p99', value: quantile(latencies, 0.99), unit: 'ms', beside: own, aim },
            {
              what: 'sound, processor use of a guest that plays, whole app',
              value: playing,
              unit: '% of a core',
              beside: { what: 'the same guest silent', value: silent },
              aim: null,
            },
          ];
        });
      } finally {
        await server.giveBack();
      }
    }),
};

/** Sends sound until `sent` ends with infinity: the times at which loud packets went out. */
function play(page: Socket, sent: number[]): void {
  const silence = packet(0);
  const loud = packet(2 * loudFrom);
  page.write(spiceMessage(playback.START, Buffer.concat([u32(2), Uint8Array.of(1, 0), u32(rateHz, 0)])));
  const began = performance.now();
  let packets = 0;
  const timer = setInterval(() => {
    if (sent.at(-1) === Number.POSITIVE_INFINITY || page.destroyed) {
      clearInterval(timer);
      page.write(spiceMessage(playback.STOP, new Uint8Array(0)));
      return;
    }
    for (; packets * packetMs <= performance.now() - began; packets++) {
      const isLoud = packets % pulseEveryPackets === pulseEveryPackets - 1;
      if (isLoud) sent.push(performance.timeOrigin + performance.now());
      page.write(isLoud ? loud : silence);
    }
  }, 2);
}

function packet(amplitude: number): Uint8Array {
  const samples = new Int16Array(packetFrames * 2).fill(Math.round(amplitude * 0x7fff));
  return spiceMessage(playback.DATA, Buffer.concat([u32(0), new Uint8Array(samples.buffer)]));
}

type Heard = { /** When each pulse left the page for the sound card. */ heard: number[]; outputMs: number; ownMs: number[] };

/** Whatever the page connects to its sound card is also looked at for pulses. */
async function listenIn(page: Page): Promise<void> {
  await page.evaluate(
    ({ loudFrom: loudness, everyMs }) => {
      const heard: number[] = [];
      let context: AudioContext | undefined;
      const watch = (analyser: AnalyserNode) => {
        const samples = new Float32Array(analyser.fftSize);
        setInterval(() => {
          analyser.getFloatTimeDomainData(samples);
          const now = performance.timeOrigin + performance.now();
          for (let at = 1; at < samples.length; at++) {
            if (Math.abs(samples[at] as number) < loudness || Math.abs(samples[at - 1] as number) >= loudness) continue;
            const time = now - ((samples.length - at) / analyser.context.sampleRate) * 1000;
            if (time - (heard.at(-1) ?? 0) > 100) heard.push(time);
          }
        }, everyMs);
      };
      const connect = AudioNode.prototype.connect as (this: AudioNode, to: AudioNode) => AudioNode;
      AudioNode.prototype.connect = function (this: AudioNode, to: AudioNode) {
        if (to instanceof AudioDestinationNode && !context) {
          context = this.context as AudioContext;
          const analyser = new AnalyserNode(context, { fftSize: 2048 });
          connect.call(this, analyser);
          watch(analyser);
        }
        return connect.call(this, to);
      } as typeof AudioNode.prototype.connect;
      const result = async () => {
        if (!context) throw new Error('the page plays nothing');
        const theirs = [...heard];
        const analyser = new AnalyserNode(context, { fftSize: 2048 });
        watch(analyser);
        const ownMs: number[] = [];
        for (let turn = 0; turn < 20; turn++) {
          await new Promise((next) => setTimeout(next, 220 + turn));
          const source = new ConstantSourceNode(context, { offset: 2 * loudness });
          connect.call(source, analyser);
          const before = heard.length;
          const at = performance.timeOrigin + performance.now();
          source.start();
          await new Promise((next) => setTimeout(next, 120));
          source.stop();
          const own = heard.slice(before).find((time) => time > at);
          if (own !== undefined) ownMs.push(own - at);
        }
        return { heard: theirs, outputMs: (context.baseLatency + context.outputLatency) * 1000, ownMs };
      };
      Object.assign(globalThis, { sound: { result } });
    },
    { loudFrom, everyMs: 8 },
  );
}

async function showConsole(page: Page, guest: GuestId): Promise<void> {
  await page.evaluate((id) => {
    history.pushState(null, '', `/guests/${id}/console`);
    dispatchEvent(new PopStateEvent('popstate'));
  }, guest);
}
