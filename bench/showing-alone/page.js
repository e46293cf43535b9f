/** Put on the canvas as our own console does it: from a worker, of a picture in main memory. */
function painter() {
  let context;
  let pictures;
  globalThis.onmessage = ({ data: { canvas, frames } }) => {
    if (canvas) {
      const { width, height } = canvas;
      context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
      pictures = [3, 5].map((seed) => {
        const picture = new ImageData(width, height);
        const pixels = new Uint32Array(picture.data.buffer);
        for (let at = 0; at < pixels.length; at++) pixels[at] = 0xff000000 | Math.imul(at, seed * 2654435761);
        return picture;
      });
      return;
    }
    const began = performance.now();
    let next = 0;
    const step = () => {
      for (; next < frames.length; next++) {
        const { atMs, parts } = frames[next];
        const ahead = began + atMs - performance.now();
        if (ahead > 0) return void setTimeout(step, ahead);
        for (const [left, top, right, bottom] of parts)
          context.putImageData(pictures[next & 1], 0, 0, left, top, right - left, bottom - top);
      }
      postMessage('done');
    };
    step();
  };
}

const worker = new Worker(URL.createObjectURL(new Blob([`(${painter})()`], { type: 'text/javascript' })));

/** Shows all of it at its pace; settles when it has. */
window.show = ({ width, height, frames }) => {
  if (!document.querySelector('canvas')) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    document.body.append(canvas);
    const offscreen = canvas.transferControlToOffscreen();
    worker.postMessage({ canvas: offscreen }, [offscreen]);
  }
  return new Promise((shown) => {
    worker.onmessage = () => shown(true);
    worker.postMessage({ frames });
  });
};
