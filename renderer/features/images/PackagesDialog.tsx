import { Search } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { Image } from '../../../contract/image.ts';
import { quoteValue } from '../../../contract/image-query.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { useCall } from '../../state/use-call.ts';
import { IconButton } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Skeleton } from '../../ui/feedback.tsx';
import { SearchField } from '../../ui/SearchField.tsx';
import { words } from '../../words/en.ts';
import { cataloguePath } from './catalogue-address.ts';

const w = words.images;
/** More rows than anybody reads; a part of a name brings the others. */
const rowsMax = 300;

/** What is installed in the system on an image, and a way to all images that have the same. */
export function PackagesDialog({ image, onClose }: { image: Image; onClose: () => void }) {
  const [, navigate] = useLocation();
  const [text, setText] = useState('');
  const { value, error, loading } = useCall('image.packages', { image: image.id });
  const fitting = value?.filter(({ name }) => name.toLowerCase().includes(text.trim().toLowerCase())) ?? [];
  const find = (name: string) => {
    onClose();
    navigate(cataloguePath({ query: `package:${quoteValue(name)}`, image: image.id, importing: null }));
  };
  return (
    <Dialog open title={w.packagesTitle(image.name)} onClose={onClose} closeLabel={words.common.close}>
      <div className="stack">
        {error && <ErrorPanel error={error} />}
        {loading && !value && <Skeleton height={160} />}
        {!loading && !error && value === null && <p className="muted">{w.packagesUnknown}</p>}
        {value && (
          <>
            <div className="row">
              <SearchField label={w.packagesSearch} placeholder={w.packagesSearch} value={text} onChange={setText} className="grow" />
              <span className="small muted">{w.packagesShown(fitting.length, value.length)}</span>
            </div>
            <div className="package-list">
              <table className="diff-table selectable">
                <thead>
                  <tr>
                    <th>{w.packageName}</th>
                    <th>{w.packageVersion}</th>
                    <th className="package-find" />
                  </tr>
                </thead>
                <tbody>
                  {fitting.slice(0, rowsMax).map(({ name, version }) => (
                    <tr key={`${name} ${version}`}>
                      <th>
                        <bdi>{name}</bdi>
                      </th>
                      <td>
                        <bdi>{version}</bdi>
                      </td>
                      <td className="package-find">
                        <IconButton icon={Search} label={w.packageFind(name)} onPress={() => find(name)} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
              {fitting.length === 0 && <p className="muted small">{w.packagesNone}</p>}
              {fitting.length > rowsMax && <p className="muted small">{w.packagesMore(fitting.length - rowsMax)}</p>}
            </div>
          </>
        )}
      </div>
    </Dialog>
  );
}
