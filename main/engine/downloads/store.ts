/** Which image came from which download. */
import type { DownloadProof } from '../../../contract/download.ts';
import type { ImageId } from '../../../contract/ids.ts';
import type { Database } from '../store/database.ts';

export type DownloadedImage = {
  imageId: ImageId;
  entry: string | null;
  version: string | null;
  url: string;
  proof: DownloadProof;
  proofText: string;
  at: string;
};

export type DownloadStore = {
  /** Newest first. */
  list(): DownloadedImage[];
  /** What was known of the image before gives way. */
  put(downloaded: DownloadedImage): void;
};

type Row = { image_id: string; entry: string | null; version: string | null; url: string; proof: string; proof_text: string; at: string };

export function createDownloadStore(database: Database): DownloadStore {
  const list = database.prepare<Row>('downloads.list', 'SELECT * FROM downloads ORDER BY at DESC');
  const put = database.prepare(
    'downloads.put',
    `INSERT OR REPLACE INTO downloads (image_id, entry, version, url, proof, proof_text, at)
     VALUES (@imageId, @entry, @version, @url, @proof, @proofText, @at)`,
  );
  return {
    list: () =>
      list.all().map(({ image_id, proof_text, proof, ...same }) => ({
        ...same,
        imageId: image_id as ImageId,
        proof: proof as DownloadProof,
        proofText: proof_text,
      })),
    put: (downloaded) => void put.run(downloaded),
  };
}
