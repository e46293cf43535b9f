/** Calls about the engine, this computer and the settings. */
import { z } from 'zod';
import { engineInfo } from '../events.ts';
import { hostReport, hostUsbDevice } from '../host.ts';
import { settings } from '../settings.ts';
import { type CallTable, done, nothing } from './definition.ts';

export const engineCalls = {
  'engine.info': { summary: 'Say which engine this is.', input: nothing, output: engineInfo, effect: 'read' },
  'engine.stop': { summary: 'Stop the engine; guests keep running.', input: nothing, output: done, effect: 'write' },
  'host.report': {
    summary: 'Say what this computer can do for guests, with findings and remedies.',
    input: z.strictObject({ refresh: z.boolean().optional() }),
    output: hostReport,
    effect: 'read',
  },
  'host.usbDevices': {
    summary: 'List the USB devices that are plugged into this computer.',
    input: nothing,
    output: z.array(hostUsbDevice),
    effect: 'read',
  },
  'settings.get': { summary: 'Read the settings.', input: nothing, output: settings, effect: 'read' },
  'settings.set': { summary: 'Change some settings.', input: settings.partial().strict(), output: settings, effect: 'write' },
} as const satisfies CallTable;
