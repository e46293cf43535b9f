/** All that the rest of the engine can ask about downloads. Implemented by `download-registry.ts`. */
import type { z } from 'zod';
import type { DownloadSource, downloadList, NetworkCheck } from '../../../contract/download.ts';
import type { Job } from '../../../contract/job.ts';

export type Downloads = {
  list(): Promise<z.infer<typeof downloadList>>;
  /** Quick, and not asked again for a minute unless `refresh` says so. Never rejects for the network. */
  checkNetwork(refresh: boolean): Promise<NetworkCheck>;
  /** @throws Failure `download/unknown`, `download/page-only`, `download/url-invalid`, `download/in-progress` */
  start(source: DownloadSource, name: string | undefined, by: string): Promise<Job>;
  /** @throws Failure `download/not-unfinished`, `download/in-progress` */
  discard(key: string): Promise<void>;
};
