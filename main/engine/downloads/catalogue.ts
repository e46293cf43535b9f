/** The list of downloads, in the order in which it is shown. */

import { debianEntries } from './catalogue/debian.ts';
import { linuxEntries } from './catalogue/linux.ts';
import { otherEntries } from './catalogue/others.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';

export const catalogue: readonly CatalogueEntry[] = [...debianEntries, ...linuxEntries, ...otherEntries];
