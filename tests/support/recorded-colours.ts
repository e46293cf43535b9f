/** What a recording shows, as the browser's own decoder plays it. */
import type { Page } from 'playwright-core';

/** Which of two colours most of the left half of a WebM has, each time that it changes. @throws Error when it does not play */
export async function coloursIn(page: Page, webm: Buffer): Promise<string[]> {
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const video = document.createElement('video');
    video.muted = true;
    video.src = URL.createObjectURL(new Blob([bytes], { type: 'video/webm' }));
    const happens = (name: string) =>
      new Promise<void>((resolve, reject) => {
        video.addEventListener(name, () => resolve(), { once: true });
        video.onerror = () => reject(new Error(`The video does not play: ${video.error?.message}`));
      });
    await happens('loadeddata');
    const context = new OffscreenCanvas(64, 64).getContext('2d', { willReadFrequently: true });
    const found: string[] = [];
    for (let at = 0; at < video.duration; at += 0.25) {
      const there = happens('seeked');
      video.currentTime = at;
      await there;
      context?.drawImage(video, 0, 0, 64, 64);
      const { data } = context?.getImageData(0, 0, 32, 64) ?? { data: new Uint8ClampedArray() };
      let [blue, green] = [0, 0];
      for (let pixel = 0; pixel < data.length; pixel += 4) {
        const [r = 0, g = 0, b = 0] = data.subarray(pixel, pixel + 3);
        if (b > r + 60 && b > g + 30) blue++;
        if (g > r + 20 && g > b + 40) green++;
      }
      const colour = blue > 1024 ? 'blue' : green > 1024 ? 'green' : null;
      if (colour && colour !== found.at(-1)) found.push(colour);
    }
    URL.revokeObjectURL(video.src);
    return found;
  }, webm.toString('base64'));
}
