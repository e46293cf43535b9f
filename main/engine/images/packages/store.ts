/**
 * Packages in the database. Ten thousand images with two thousand packages each would be twenty million rows; instead every package with its
 * version has a row, an image a list of their numbers (`number-list.ts`), and an index of the names finds the images (`bench/README.md` says
 * what that takes). A package that no image has any more keeps its row: it is small, and often comes back with the next version.
 */
import type { ImageId } from '../../../../contract/ids.ts';
import type { InstalledPackage } from '../../../../contract/image.ts';
import type { Database } from '../../store/database.ts';
import { packNumbers, unpackNumbers } from './number-list.ts';

export type PackageStore = {
  /** Takes the place of what was known of the image. Null forgets it. */
  save(image: ImageId, packages: readonly InstalledPackage[] | null): void;
  /** By name; null when nothing is known of the image's packages. */
  list(image: ImageId): InstalledPackage[] | null;
};

export function createPackageStore(database: Database): PackageStore {
  const numberOf = database.prepare<{ number: number }>('packages.image', 'SELECT number FROM images WHERE id = ?');
  const find = database.prepare<{ number: number }>('packages.find', 'SELECT number FROM packages WHERE name = ? AND version = ?');
  const add = database.prepare('packages.add', 'INSERT INTO packages (name, version) VALUES (?, ?)');
  const saveList = database.prepare('packages.saveList', 'INSERT OR REPLACE INTO image_packages (number, list) VALUES (?, ?)');
  const saveNames = database.prepare('packages.saveNames', 'INSERT OR REPLACE INTO image_package_names (rowid, names) VALUES (?, ?)');
  const forgetList = database.prepare('packages.forgetList', 'DELETE FROM image_packages WHERE number = ?');
  const forgetNames = database.prepare('packages.forgetNames', 'DELETE FROM image_package_names WHERE rowid = ?');
  const findList = database.prepare<{ list: Buffer }>(
    'packages.list',
    'SELECT list FROM image_packages JOIN images USING (number) WHERE images.id = ?',
  );
  const named = database.prepare<InstalledPackage>(
    'packages.named',
    'SELECT name, version FROM packages WHERE number IN (SELECT value FROM json_each(?)) ORDER BY name, version',
  );

  return {
    save(image, packages) {
      database.transaction(() => {
        const number = numberOf.get(image)?.number;
        if (number === undefined) return;
        if (packages === null) {
          forgetList.run(number);
          forgetNames.run(number);
          return;
        }
        const numbers = packages.map(({ name, version }) => find.get(name, version)?.number ?? add.run(name, version).lastInsertId);
        saveList.run(number, packNumbers(numbers));
        saveNames.run(number, packages.map(({ name }) => name).join('\n'));
      });
    },
    list(image) {
      const found = findList.get(image);
      return found ? named.all(JSON.stringify(unpackNumbers(found.list))) : null;
    },
  };
}
