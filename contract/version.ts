/** The version of this Guesthouse, as package.json says it; every process is built from the same one. */
import manifest from '../package.json' with { type: 'json' };

export const version: string = manifest.version;
