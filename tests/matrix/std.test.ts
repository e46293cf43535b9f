import { tryMatrix } from './matrix.ts';

tryMatrix('VGA');
