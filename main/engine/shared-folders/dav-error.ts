/** Why a request of WebDAV is refused, as a status of HTTP. */
export class DavError extends Error {
  readonly status: number;
  /** The name of a precondition in the namespace DAV:, for clients that look at it. */
  readonly condition: string | null;

  constructor(status: number, message: string, condition: string | null = null) {
    super(message);
    this.name = 'DavError';
    this.status = status;
    this.condition = condition;
  }
}

const statusOfErrno: Readonly<Record<string, number>> = {
  ENOENT: 404,
  ENOTDIR: 404,
  ELOOP: 404,
  EACCES: 403,
  EPERM: 403,
  EROFS: 403,
  ETXTBSY: 403,
  EEXIST: 405,
  EISDIR: 405,
  ENOTEMPTY: 409,
  EBUSY: 409,
  ENAMETOOLONG: 414,
  EFBIG: 507,
  ENOSPC: 507,
  EDQUOT: 507,
  EMFILE: 503,
  ENFILE: 503,
};

/** What this computer's file system said, without a path of it. */
export function toDavError(thrown: unknown): DavError {
  if (thrown instanceof DavError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  const status = statusOfErrno[code];
  return status === undefined ? new DavError(500, 'The folder could not be read or written.') : new DavError(status, code);
}
