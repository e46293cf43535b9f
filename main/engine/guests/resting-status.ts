import type { StoredGuest } from './store.ts';

/** What a guest is while nothing of it runs. */
export function restingStatus(stored: StoredGuest): 'creating' | 'suspended' | 'crashed' | 'off' | 'template' {
  if (stored.creating) return 'creating';
  if (stored.lineage.template) return 'template';
  if (stored.saved) return 'suspended';
  return stored.crash ? 'crashed' : 'off';
}
