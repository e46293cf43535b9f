import type { StoredSnapshot } from './store.ts';

/**
 * Why a second guest cannot go on from the memory of a snapshot beside the original; null when it can. What is in memory has the original's
 * addresses, so its cards are put on networks that lead nowhere; and QEMU loads a card that was on a bridge only upon a bridge again.
 */
export function cannotGoOnAside({ name, memory, spec }: Pick<StoredSnapshot, 'name' | 'memory' | 'spec'>): string | null {
  if (!memory) return `The snapshot “${name}” has no memory to go on from.`;
  const card = (memory.spec ?? spec).nics.find(({ mode }) => mode === 'bridge');
  return card
    ? `The network card ${card.id} was on the bridge ${card.bridge ?? ''}, and would be there again with the addresses of the original.`
    : null;
}
