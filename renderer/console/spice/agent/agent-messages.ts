/** The numbers of spice-protocol's `vd_agent.h`, with its names. */

/** VD_AGENT_PROTOCOL */
export const agentProtocol = 1;
/** VD_AGENT_MAX_DATA_SIZE: an agent message travels in pieces of so many bytes. */
export const agentPieceBytes = 2048;
/** VDAgentMessage: protocol, type, opaque, size. */
export const agentHeaderBytes = 20;

/** VD_AGENT_*: of those messages that are read or written here. */
export const agentMessage = {
  MONITORS_CONFIG: 2,
  REPLY: 3,
  CLIPBOARD: 4,
  DISPLAY_CONFIG: 5,
  ANNOUNCE_CAPABILITIES: 6,
  CLIPBOARD_GRAB: 7,
  CLIPBOARD_REQUEST: 8,
  CLIPBOARD_RELEASE: 9,
  FILE_XFER_START: 10,
  FILE_XFER_STATUS: 11,
  FILE_XFER_DATA: 12,
  MAX_CLIPBOARD: 14,
  AUDIO_VOLUME_SYNC: 15,
} as const;

/** VD_AGENT_CLIPBOARD_*: kinds of what is copied. */
export const clipboardType = { NONE: 0, UTF8_TEXT: 1, IMAGE_PNG: 2, IMAGE_BMP: 3, IMAGE_TIFF: 4, IMAGE_JPG: 5 } as const;

/** VD_AGENT_CLIPBOARD_SELECTION_*: of those that are shared. */
export const selectionNumber = { clipboard: 0, primary: 1 } as const;

/** VD_AGENT_DISPLAY_CONFIG_FLAG_* */
export const displayFlag = { DISABLE_WALLPAPER: 1, DISABLE_FONT_SMOOTH: 2, DISABLE_ANIMATION: 4, SET_COLOR_DEPTH: 8 } as const;

/** VD_AGENT_FILE_XFER_STATUS_* */
export const fileStatus = {
  CAN_SEND_DATA: 0,
  CANCELLED: 1,
  ERROR: 2,
  SUCCESS: 3,
  NOT_ENOUGH_SPACE: 4,
  SESSION_LOCKED: 5,
  VDAGENT_NOT_CONNECTED: 6,
  DISABLED: 7,
} as const;

/** VD_AGENT_CAP_*: numbers of bits. */
export const agentCapability = {
  MOUSE_STATE: 0,
  MONITORS_CONFIG: 1,
  REPLY: 2,
  CLIPBOARD: 3,
  DISPLAY_CONFIG: 4,
  CLIPBOARD_BY_DEMAND: 5,
  CLIPBOARD_SELECTION: 6,
  SPARSE_MONITORS_CONFIG: 7,
  GUEST_LINEEND_LF: 8,
  GUEST_LINEEND_CRLF: 9,
  MAX_CLIPBOARD: 10,
  AUDIO_VOLUME_SYNC: 11,
  MONITORS_CONFIG_POSITION: 12,
  FILE_XFER_DISABLED: 13,
  FILE_XFER_DETAILED_ERRORS: 14,
  GRAPHICS_DEVICE_INFO: 15,
  CLIPBOARD_NO_RELEASE_ON_REGRAB: 16,
  CLIPBOARD_GRAB_SERIAL: 17,
} as const;
export type AgentCapability = keyof typeof agentCapability;
