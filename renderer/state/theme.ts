/** Light or dark: the system's unless the settings choose. CSS does the rest (`ui/tokens.css`). */
import type { Settings } from '../../contract/settings.ts';
import { useEngineStore } from './store.ts';

const storageKey = 'guesthouse.theme';

/** Follows the setting. The last one is remembered so that the first paint is right before the engine answered. */
export function followTheme(): void {
  apply(localStorage.getItem(storageKey) ?? 'system');
  useEngineStore.subscribe((state, before) => {
    if (state.engine === null || (state.settings.theme === before.settings.theme && before.engine !== null)) return;
    localStorage.setItem(storageKey, state.settings.theme);
    apply(state.settings.theme);
  });
}

function apply(theme: Settings['theme'] | string): void {
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
