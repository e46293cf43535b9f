/** What the user can choose. Kept by the engine, so that the window and the command line agree. */
import { z } from 'zod';

export const settings = z.object({
  theme: z.enum(['system', 'light', 'dark']),
  libraryView: z.enum(['cards', 'table']),
  /** What happens to running guests when the window is closed for good. */
  onQuit: z.enum(['ask', 'keep-running', 'suspend', 'shutdown']),
  /** How long a guest has to shut down before the user is asked. */
  shutdownTimeoutSeconds: z.number().int().min(5).max(3600),
  /** For guests that were given no size of their own. */
  consoleScale: z.enum(['fit', 'whole', 'exact']),
  /** Ask the guest to take on the size of the console. */
  consoleResizeGuest: z.boolean(),
  notifications: z.boolean(),
  /** Free space that is never used up by imports. */
  keepFreeMiB: z.number().int().min(0).max(1_048_576),
  /** Ids of the storage locations for new guests and new images; null, or one that is not named any more, is the data folder. */
  guestLocation: z.string().max(40).nullable(),
  imageLocation: z.string().max(40).nullable(),
  /** Proxy for downloads: null as the environment says (http_proxy, https_proxy, no_proxy), "direct" for none, or its address. */
  downloadProxy: z
    .union([z.literal('direct'), z.string().regex(/^https?:\/\/(?:\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?\/?$/i)])
    .nullable(),
  /** Extra folder in which QEMU is looked for first. */
  qemuFolder: z.string().nullable(),
});
export type Settings = z.infer<typeof settings>;

export const defaultSettings: Settings = {
  theme: 'system',
  libraryView: 'cards',
  onQuit: 'ask',
  shutdownTimeoutSeconds: 60,
  consoleScale: 'fit',
  consoleResizeGuest: true,
  notifications: true,
  keepFreeMiB: 512,
  guestLocation: null,
  imageLocation: null,
  downloadProxy: null,
  qemuFolder: null,
};
