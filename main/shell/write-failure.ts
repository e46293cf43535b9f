/** Why a file that somebody chose could not be written, and what to do about it. */
import { Failure } from '../../contract/errors.ts';

/** What is known of these says more than the system's words do. */
const known: Record<string, { code: 'store/full' | 'store/not-writable'; what: string; hint: string }> = {
  ENOSPC: { code: 'store/full', what: 'There is no room left for', hint: 'Free some space, or choose another disk.' },
  EDQUOT: { code: 'store/full', what: 'There is no room left for', hint: 'Free some space, or choose another disk.' },
  EACCES: { code: 'store/not-writable', what: 'You may not write', hint: 'Choose a folder of your own.' },
  EPERM: { code: 'store/not-writable', what: 'You may not write', hint: 'Choose a folder of your own.' },
  EROFS: { code: 'store/not-writable', what: 'You may not write', hint: 'Its disk is read-only: choose another one.' },
  ENOENT: {
    code: 'store/not-writable',
    what: 'There is no folder for',
    hint: 'It was moved, or its disk is not there any more: choose another one.',
  },
  EEXIST: {
    code: 'store/not-writable',
    what: 'Nothing was written over',
    hint: 'It is there already: another recording, or one that was cut off. Move it away or choose another name.',
  },
};

/** `path`: the file that could not be written, which may have another name than the one that was chosen. */
export function writeFailure(path: string, error: unknown): Failure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const detail = error instanceof Error ? error.message : String(error);
  const why = Object.hasOwn(known, code) ? known[code] : undefined;
  if (!why) return new Failure('store/not-writable', `${path} could not be written.`, { path, detail });
  return new Failure(why.code, `${why.what} ${path}.`, { path, hint: why.hint, detail });
}
