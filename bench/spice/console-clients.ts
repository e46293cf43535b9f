/** Those that show a console, each on a display of its own: our app, spice-html5 in it, spice-html5 in a bare page, and spice-gtk. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { projectRoot } from '../../build/places.ts';
import { type PrivateDisplay, startPrivateDisplay } from '../../build/setup/private-display.ts';
import type { GuestId } from '../../contract/ids.ts';
import { Skipped } from '../figures.ts';
import { guesthouseApp } from '../measured-app.ts';
import { type UnwatchedApp, withUnwatchedApp } from '../unwatched-app.ts';

/** Large enough for a guest of 1280 × 800 beside all that a window has, pixel for pixel. */
export const screen = { width: 1920, height: 1200 };

export const clientNames = ['guesthouse', 'spice-html5 in the same window', 'spice-html5 in a bare page', 'spice-gtk'] as const;
export type ClientName = (typeof clientNames)[number];

export type ConsoleClient = {
  pid: number;
  display: PrivateDisplay;
  /** When somebody wanted the console, of `performance.now()`; null where more than a console is started. */
  askedAt: number | null;
  /** Null where there is no page. */
  app: UnwatchedApp | null;
};

export type ConsoleGuest = {
  guest: GuestId;
  /** Whatever listens there is the guest's console. */
  socketPath: string;
  /** In which the app finds its engine. */
  environment: NodeJS.ProcessEnv;
};

/** Shows the console with that client while `action` runs. It is not there yet when that begins. */
export function withConsoleClient<T>(name: ClientName, of: ConsoleGuest, action: (client: ConsoleClient) => Promise<T>): Promise<T> {
  switch (name) {
    case 'guesthouse':
      return withOurs(of, false, action);
    case 'spice-html5 in the same window':
      return withOurs(of, true, action);
    case 'spice-html5 in a bare page': {
      const environment = { ...of.environment, SPICE_SOCKET: of.socketPath, PROJECT_MODULES: join(projectRoot, 'node_modules') };
      return withUnwatchedApp(
        [join(projectRoot, 'bench/bare-console')],
        environment,
        (app) => action({ pid: app.pid, display: app.display, askedAt: null, app }),
        screen,
      );
    }
    case 'spice-gtk':
      return withSpicy(of, action);
  }
}

function withOurs<T>(of: ConsoleGuest, reference: boolean, action: (client: ConsoleClient) => Promise<T>): Promise<T> {
  return withUnwatchedApp(
    guesthouseApp,
    of.environment,
    async (app) => {
      await inPage(app, "document.querySelector('#content') !== null");
      await app.resize(screen.width, screen.height);
      const choice = reference
        ? "localStorage.setItem('guesthouse:spice-client', 'spice-html5')"
        : "localStorage.removeItem('guesthouse:spice-client')";
      const askedAt = performance.now();
      await app.inPage(
        `${choice}; history.pushState(null, '', '/guests/${of.guest}/console'); dispatchEvent(new PopStateEvent('popstate'))`,
      );
      return action({ pid: app.pid, display: app.display, askedAt, app });
    },
    screen,
  );
}

const spicy = '/usr/bin/spicy';

/** @throws Skipped where it is not installed */
export function requireSpiceGtk(): void {
  if (!existsSync(spicy)) throw new Skipped('spicy is not installed (Debian: apt install spice-client-gtk)');
}

async function withSpicy<T>(of: ConsoleGuest, action: (client: ConsoleClient) => Promise<T>): Promise<T> {
  requireSpiceGtk();
  const display = await startPrivateDisplay(screen);
  try {
    const askedAt = performance.now();
    const child = spawn(spicy, [`--uri=spice+unix://${of.socketPath}`], {
      env: { ...process.env, ...display.environment, GDK_BACKEND: 'x11', NO_AT_BRIDGE: '1' },
      stdio: 'ignore',
    });
    const ended = new Promise<void>((settle) => child.once('exit', () => settle()));
    try {
      if (child.pid === undefined) throw new Error('spicy did not start');
      return await action({ pid: child.pid, display, askedAt, app: null });
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  } finally {
    await display.stop();
  }
}

/** Evaluates `expression` in the page until it is true. @throws Error when that does not happen */
export async function inPage(app: UnwatchedApp, expression: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  // Before the page is there, its window has nothing to evaluate anything in.
  while ((await app.inPage(expression).catch(() => false)) !== true) {
    if (Date.now() > deadline) throw new Error(`the page does not come to: ${expression}`);
    await pause(100);
  }
}
