/**
 * The numbers of the wire, with the names that spice-protocol's `enums.h` and `protocol.h` give them, without their prefixes. Message names
 * stand in errors: see {@link nameOf}.
 */

/** SPICE_CHANNEL_* */
export const channelType = { main: 1, display: 2, inputs: 3, cursor: 4, playback: 5, record: 6, webdav: 11 } as const;
export type ChannelKind = keyof typeof channelType;

/** SPICE_LINK_ERR_*, by number. */
export const linkErrors = [
  'OK',
  'ERROR',
  'INVALID_MAGIC',
  'INVALID_DATA',
  'VERSION_MISMATCH',
  'NEED_SECURED',
  'NEED_UNSECURED',
  'PERMISSION_DENIED',
  'BAD_CONNECTION_ID',
  'CHANNEL_NOT_AVAILABLE',
] as const;

/** SPICE_COMMON_CAP_*: numbers of bits. */
export const commonCapability = { PROTOCOL_AUTH_SELECTION: 0, AUTH_SPICE: 1, AUTH_SASL: 2, MINI_HEADER: 3 } as const;

/** SPICE_MAIN_CAP_* */
export const mainCapability = { SEMI_SEAMLESS_MIGRATE: 0, NAME_AND_UUID: 1, AGENT_CONNECTED_TOKENS: 2, SEAMLESS_MIGRATE: 3 } as const;

/** SPICE_DISPLAY_CAP_* */
export const displayCapability = {
  SIZED_STREAM: 0,
  MONITORS_CONFIG: 1,
  COMPOSITE: 2,
  A8_SURFACE: 3,
  STREAM_REPORT: 4,
  LZ4_COMPRESSION: 5,
  PREF_COMPRESSION: 6,
  GL_SCANOUT: 7,
  MULTI_CODEC: 8,
  CODEC_MJPEG: 9,
  CODEC_VP8: 10,
  CODEC_H264: 11,
  PREF_VIDEO_CODEC_TYPE: 12,
  CODEC_VP9: 13,
  CODEC_H265: 14,
} as const;

/** SPICE_MSG_*: what every server channel may send. */
export const baseMessage = {
  MIGRATE: 1,
  MIGRATE_DATA: 2,
  SET_ACK: 3,
  PING: 4,
  WAIT_FOR_CHANNELS: 5,
  DISCONNECTING: 6,
  NOTIFY: 7,
  LIST: 8,
} as const;
/** SPICE_MSG_BASE_LAST: a channel's own messages have higher numbers. */
export const baseMessageLast = 100;

/** SPICE_MIGRATE_*: what the server wants when it hands a channel on. */
export const migrateFlag = { NEED_FLUSH: 1, NEED_DATA_TRANSFER: 2 } as const;

/** SPICE_MSGC_* */
export const baseRequest = { ACK_SYNC: 1, ACK: 2, PONG: 3, MIGRATE_FLUSH_MARK: 4, MIGRATE_DATA: 5, DISCONNECTING: 6 } as const;

/** SPICE_MSG_MAIN_* */
export const mainMessage = {
  MIGRATE_BEGIN: 101,
  MIGRATE_CANCEL: 102,
  INIT: 103,
  CHANNELS_LIST: 104,
  MOUSE_MODE: 105,
  MULTI_MEDIA_TIME: 106,
  AGENT_CONNECTED: 107,
  AGENT_DISCONNECTED: 108,
  AGENT_DATA: 109,
  AGENT_TOKEN: 110,
  MIGRATE_SWITCH_HOST: 111,
  MIGRATE_END: 112,
  NAME: 113,
  UUID: 114,
  AGENT_CONNECTED_TOKENS: 115,
  MIGRATE_BEGIN_SEAMLESS: 116,
  MIGRATE_DST_SEAMLESS_ACK: 117,
  MIGRATE_DST_SEAMLESS_NACK: 118,
} as const;

/** SPICE_MSGC_MAIN_* */
export const mainRequest = {
  MIGRATE_CONNECTED: 102,
  MIGRATE_CONNECT_ERROR: 103,
  ATTACH_CHANNELS: 104,
  MOUSE_MODE_REQUEST: 105,
  AGENT_START: 106,
  AGENT_DATA: 107,
  AGENT_TOKEN: 108,
  MIGRATE_END: 109,
  MIGRATE_DST_DO_SEAMLESS: 110,
  MIGRATE_CONNECTED_SEAMLESS: 111,
} as const;

/** SPICE_MOUSE_MODE_*: `CLIENT` is a guest that takes positions. */
export const mouseMode = { SERVER: 1, CLIENT: 2 } as const;

/** SPICE_MSG_DISPLAY_* */
export const displayMessage = {
  MODE: 101,
  MARK: 102,
  RESET: 103,
  COPY_BITS: 104,
  INVAL_LIST: 105,
  INVAL_ALL_PIXMAPS: 106,
  INVAL_PALETTE: 107,
  INVAL_ALL_PALETTES: 108,
  STREAM_CREATE: 122,
  STREAM_DATA: 123,
  STREAM_CLIP: 124,
  STREAM_DESTROY: 125,
  STREAM_DESTROY_ALL: 126,
  DRAW_FILL: 302,
  DRAW_OPAQUE: 303,
  DRAW_COPY: 304,
  DRAW_BLEND: 305,
  DRAW_BLACKNESS: 306,
  DRAW_WHITENESS: 307,
  DRAW_INVERS: 308,
  DRAW_ROP3: 309,
  DRAW_STROKE: 310,
  DRAW_TEXT: 311,
  DRAW_TRANSPARENT: 312,
  DRAW_ALPHA_BLEND: 313,
  SURFACE_CREATE: 314,
  SURFACE_DESTROY: 315,
  STREAM_DATA_SIZED: 316,
  MONITORS_CONFIG: 317,
  DRAW_COMPOSITE: 318,
  STREAM_ACTIVATE_REPORT: 319,
  GL_SCANOUT_UNIX: 320,
  GL_DRAW: 321,
  QUALITY_INDICATOR: 322,
} as const;

/** SPICE_MSGC_DISPLAY_* */
export const displayRequest = { INIT: 101, STREAM_REPORT: 102, PREFERRED_COMPRESSION: 103, PREFERRED_VIDEO_CODEC_TYPE: 105 } as const;

/** SPICE_SURFACE_FLAGS_* */
export const surfaceFlag = { PRIMARY: 1, STREAMING_MODE: 2 } as const;

/** SPICE_RES_TYPE_* */
export const resourceType = { PIXMAP: 1 } as const;

/** SPICE_MSG_INPUTS_* */
export const inputsMessage = { INIT: 101, KEY_MODIFIERS: 102, MOUSE_MOTION_ACK: 111 } as const;

/** SPICE_MSGC_INPUTS_* */
export const inputsRequest = {
  KEY_DOWN: 101,
  KEY_UP: 102,
  KEY_MODIFIERS: 103,
  MOUSE_MOTION: 111,
  MOUSE_POSITION: 112,
  MOUSE_PRESS: 113,
  MOUSE_RELEASE: 114,
} as const;

/** SPICE_INPUT_MOTION_ACK_BUNCH: the server acknowledges so many movements at once. */
export const motionAckBunch = 4;

/** SPICE_MSG_CURSOR_* */
export const cursorMessage = {
  INIT: 101,
  RESET: 102,
  SET: 103,
  MOVE: 104,
  HIDE: 105,
  TRAIL: 106,
  INVAL_ONE: 107,
  INVAL_ALL: 108,
} as const;

/** SPICE_CURSOR_FLAGS_* */
export const cursorFlag = { NONE: 1, CACHE_ME: 2, FROM_CACHE: 4 } as const;

/** SPICE_CURSOR_TYPE_* */
export const cursorType = { ALPHA: 0, MONO: 1, COLOR4: 2, COLOR8: 3, COLOR16: 4, COLOR24: 5, COLOR32: 6 } as const;

/** SPICE_PLAYBACK_CAP_*: numbers of bits. */
export const playbackCapability = { CELT_0_5_1: 0, VOLUME: 1, LATENCY: 2, OPUS: 3 } as const;

/** SPICE_MSG_PLAYBACK_* */
export const playbackMessage = { DATA: 101, MODE: 102, START: 103, STOP: 104, VOLUME: 105, MUTE: 106, LATENCY: 107 } as const;

/** SPICE_RECORD_CAP_* */
export const recordCapability = { CELT_0_5_1: 0, VOLUME: 1, OPUS: 2 } as const;

/** SPICE_MSG_RECORD_* */
export const recordMessage = { START: 101, STOP: 102, VOLUME: 103, MUTE: 104 } as const;

/** SPICE_MSGC_RECORD_* */
export const recordRequest = { DATA: 101, MODE: 102, START_MARK: 103 } as const;

/** SPICE_AUDIO_DATA_MODE_* */
export const soundMode = { RAW: 1, CELT_0_5_1: 2, OPUS: 3 } as const;

/** SPICE_AUDIO_FMT_*: signed, 16 bits, little-endian. */
export const soundFormatS16 = 1;

/** SPICE_MSG_SPICEVMC_* and SPICE_MSG_PORT_* */
export const portMessage = { DATA: 101, COMPRESSED_DATA: 102, INIT: 201, EVENT: 202 } as const;

/** SPICE_MSGC_SPICEVMC_* */
export const portRequest = { DATA: 101 } as const;

/** SPICE_PORT_EVENT_* */
export const portEvent = { OPENED: 0, CLOSED: 1, BREAK: 2 } as const;

const ownMessages: Record<ChannelKind, Record<string, number>> = {
  main: mainMessage,
  display: displayMessage,
  inputs: inputsMessage,
  cursor: cursorMessage,
  playback: playbackMessage,
  record: recordMessage,
  webdav: portMessage,
};

/** The name of a server's message, for errors; its number when it has none. */
export function nameOf(channel: ChannelKind, type: number): string {
  const numbers = type <= baseMessageLast ? baseMessage : ownMessages[channel];
  return Object.entries(numbers).find(([, number]) => number === type)?.[0] ?? `message ${type}`;
}
