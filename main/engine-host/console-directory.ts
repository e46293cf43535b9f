/** What the engine knows of a guest's consoles, as main/consoles asks for it. */

import { Failure } from '../../contract/errors.ts';
import type { EngineClient } from '../client/engine-client.ts';
import { findSshEndpoint } from '../consoles/ssh-command.ts';
import type { ConsoleDirectory } from '../consoles/transport.ts';
import { webSocketTransport } from '../consoles/websocket-transport.ts';

export function consoleDirectoryOf(client: EngineClient): ConsoleDirectory {
  return {
    async spiceSocketPath(guest, place) {
      const { spiceSocketPath, movedSpiceSocketPath } = await client.call('guest.consoles', { guest });
      const path = place === 'moved' ? movedSpiceSocketPath : spiceSocketPath;
      if (path !== null) return path;
      if (place === 'moved')
        throw new Failure('console/unavailable', 'Where the guest was moved to is not known here.', {
          hint: 'Start the QEMU that takes it with its screen at spice-moved.sock in the guest’s folder of sockets.',
        });
      throw new Failure('console/unavailable', 'The guest has no screen to show now.', { hint: 'Start it first.' });
    },
    async openSerial(guest) {
      const { serial } = await client.call('guest.consoles', { guest });
      if (!serial) throw new Failure('console/unavailable', 'The guest has no serial console now.', { hint: 'Start it first.' });
      return webSocketTransport(() => client.openSerial(guest), 'The serial console');
    },
    openFolders: async (guest) => webSocketTransport(() => client.openFolders(guest), 'The shared folders'),
    sshEndpoint: async (guest) => findSshEndpoint(await client.call('guest.show', { guest })),
  };
}
