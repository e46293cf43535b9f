import { SpiceDisplayConn } from '/src/display.js';
import { SpiceMainConn } from '/src/main.js';

// A frame is one refresh of the display in which at least one message drew, as in the console's own status strip.
let frames = 0;
let scheduled = false;
const original = SpiceDisplayConn.prototype.process_channel_message;
SpiceDisplayConn.prototype.process_channel_message = function (message) {
  const known = original.call(this, message);
  if ((message.type >= 302 || message.type === 104) && !scheduled) {
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      frames++;
    });
  }
  return known;
};
window.takeFrames = () => {
  const taken = frames;
  frames = 0;
  return taken;
};
const port = new URL(location.href).searchParams.get('port');
new SpiceMainConn({ uri: `ws://127.0.0.1:${port}`, password: '', screen_id: 'screen', onerror: () => {} });
