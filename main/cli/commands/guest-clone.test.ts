import { expect, test } from 'vitest';
import type { LineageNode } from '../../../contract/guest-lineage.ts';
import { drawLineage } from './guest-clone.ts';

const node = (file: string, base: string | null, more: Partial<LineageNode> = {}): LineageNode => ({
  file,
  base,
  kind: 'disk',
  imageId: null,
  layerId: null,
  guestId: null,
  name: file,
  sizeBytes: 1024 ** 2,
  trashed: false,
  ...more,
});

test('the lineage is drawn as a tree, every file below the one that it builds upon', () => {
  const nodes = [
    node('image', null, { kind: 'image', name: 'Debian' }),
    node('layer', 'image', { kind: 'layer', layerId: 'l000000000' as LineageNode['layerId'], name: '' }),
    node('one', 'layer', { name: 'web-1' }),
    node('two', 'layer', { name: 'web-2', trashed: true }),
    node('three', 'image', { name: 'Alone\u001b[2J' }),
  ];
  expect(drawLineage(nodes).split('\n')).toEqual([
    'Debian  1 MiB',
    '├─ frozen disk l000000000  1 MiB',
    '│  ├─ web-1  1 MiB',
    '│  └─ web-2 (in the trash)  1 MiB',
    '└─ Alone�[2J  1 MiB',
  ]);
  expect(drawLineage([])).toBe('No disk builds upon another.');
});
