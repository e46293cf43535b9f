/** What is used of spice-html5, which has no types of its own. */

declare module '@spice-project/spice-html5' {
  import type { SpiceDisplayConn } from '@spice-project/spice-html5/src/display.js';
  import type { SpiceConn } from '@spice-project/spice-html5/src/spiceconn.js';
  export class SpiceMainConn extends SpiceConn {
    constructor(options: { uri: string; password: string; screen_id: string; onerror: (error: unknown) => void });
    agent_connected?: boolean;
    mouse_mode: number;
    display?: SpiceDisplayConn;
    inputs?: SpiceConn;
    resize_window(flags: number, width: number, height: number, depth: number, x: number, y: number): void;
    announce_agent_capabilities(request: number): void;
    stop(): void;
  }
}

declare module '@spice-project/spice-html5/src/spiceconn.js' {
  export type SpiceMessage = { type: number; size: number; data?: ArrayBuffer };
  export class SpiceConn {
    type: number;
    state: string;
    ws?: { send(bytes: ArrayBuffer): void };
    process_channel_message(message: SpiceMessage): boolean;
    log_info(...parts: unknown[]): void;
    log_warn(...parts: unknown[]): void;
    log_err(...parts: unknown[]): void;
  }
}

declare module '@spice-project/spice-html5/src/display.js' {
  import { SpiceConn } from '@spice-project/spice-html5/src/spiceconn.js';
  export type SpiceRect = { left: number; top: number; right: number; bottom: number };
  export type SpiceBase = { surface_id: number; box: SpiceRect; clip: { type: number; rects?: { rects: SpiceRect[] } } };
  export type SpiceDrawCopy = {
    base: SpiceBase;
    src_area: SpiceRect;
    image_data: ImageData;
    has_alpha: boolean;
    descriptor?: { id: number; flags: number };
  };
  export type SpiceSurface = {
    format: number;
    canvas: OffscreenCanvas & { context: OffscreenCanvasRenderingContext2D };
    draw_count: number;
  };
  export class SpiceDisplayConn extends SpiceConn {
    surfaces?: Record<number, SpiceSurface>;
    cache?: Record<number, ImageData>;
    draw_copy_helper(drawing: SpiceDrawCopy): boolean;
    hook_events(): void;
    unhook_events(): void;
  }
}

declare module '@spice-project/spice-html5/src/inputs.js' {
  import { SpiceConn } from '@spice-project/spice-html5/src/spiceconn.js';
  export class SpiceInputsConn extends SpiceConn {}
}

declare module '@spice-project/spice-html5/src/cursor.js' {
  import { SpiceConn } from '@spice-project/spice-html5/src/spiceconn.js';
  export class SpiceCursorConn extends SpiceConn {}
}

declare module '@spice-project/spice-html5/src/spicemsg.js' {
  import type { SpiceBase } from '@spice-project/spice-html5/src/display.js';
  export class SpiceMsgDisplayCopyBits {
    constructor(body: ArrayBuffer);
    base: SpiceBase;
    src_pos: { x: number; y: number };
  }
}

declare module '@spice-project/spice-html5/src/spicedataview.js' {
  export class SpiceDataView {
    u8: Uint8Array;
    getUint8(at: number): number;
  }
}
