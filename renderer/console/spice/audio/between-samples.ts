/**
 * What a sound is between two of its samples: a sum of those around it, each weighed by a sinc under a window of Kaiser. Up to 18 kHz of 48 the loudness is
 * right to a tenth of a decibel and what does not belong there lies 60 dB below.
 */

/** Samples that are summed up: so many before the one on whose right side the place lies, itself, and so many after it. */
export const samplesBefore = 7;
export const samplesAfter = 8;
export const samplesAround = samplesBefore + 1 + samplesAfter;
/** Places between two samples; the nearest is taken. */
export const places = 2048;
/** Of the window: 60 dB. */
const beta = 5.65;

/**
 * Weights in `places + 1` rows of {@link samplesAround}, a row for each place from one sample (0) to the next. `band`: the share of what the samples can
 * hold that is let through, less than 1 where they become fewer.
 */
export function weighSamples(band: number): Float32Array<ArrayBuffer> {
  const weights = new Float32Array((places + 1) * samplesAround);
  const half = samplesAround / 2;
  for (let place = 0; place <= places; place++) {
    const row = weights.subarray(place * samplesAround, (place + 1) * samplesAround);
    let sum = 0;
    for (let at = 0; at < samplesAround; at++) {
      const distance = at - samplesBefore - place / places;
      const inWindow = Math.max(0, 1 - (distance / half) ** 2);
      const weight = sinc(distance * band) * bessel(beta * Math.sqrt(inWindow));
      row[at] = weight;
      sum += weight;
    }
    for (let at = 0; at < samplesAround; at++) row[at] = (row[at] as number) / sum;
  }
  return weights;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** I₀, the modified function of Bessel. */
function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let n = 1; term > sum * 1e-12; n++) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}
