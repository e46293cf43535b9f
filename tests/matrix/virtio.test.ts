import { tryMatrix } from './matrix.ts';

tryMatrix('virtio-vga');
