import { tryMatrix } from './matrix.ts';

tryMatrix('qxl-vga');
