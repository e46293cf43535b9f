import { ArrowLeft, Disc3, Download, HardDrive, Library, type LucideIcon, PackageOpen } from 'lucide-react';
import { Link, Redirect, useLocation, useSearch } from 'wouter';
import { IconButton } from '../../ui/Button.tsx';
import { words } from '../../words/en.ts';
import { transferWords } from '../../words/transfer.ts';
import { CreateForm } from './CreateForm.tsx';
import type { SourceKind } from './create-choices.ts';
import './create.css';

const w = words.create;
const kinds: readonly SourceKind[] = ['iso', 'disk', 'image'];

/** A new guest: where it comes from, then one page for each of the three answers. */
export function CreatePage({ source }: { source: string | undefined }) {
  const [, navigate] = useLocation();
  const search = useSearch();
  const parameters = new URLSearchParams(search);
  if (source === undefined) return <ChooseSource />;
  const kind = kinds.find((each) => each === source);
  if (!kind) return <Redirect to="/new" replace />;
  return (
    <div className="create">
      <header className="create-header">
        <IconButton icon={ArrowLeft} label={w.title} onPress={() => navigate('/new')} />
        <h1 className="ellipsis">{w.titles[kind]}</h1>
      </header>
      {/* A file that is dropped while the page is open begins it anew. */}
      <CreateForm key={`${kind}?${search}`} kind={kind} path={parameters.get('path') ?? ''} imageId={parameters.get('image')} />
    </div>
  );
}

function ChooseSource() {
  const choices: { kind: SourceKind | 'downloads' | 'import'; icon: LucideIcon; title: string; text: string }[] = [
    { kind: 'iso', icon: Disc3, title: w.iso, text: w.isoText },
    { kind: 'disk', icon: HardDrive, title: w.disk, text: w.diskText },
    { kind: 'image', icon: Library, title: w.image, text: w.imageText },
    { kind: 'import', icon: PackageOpen, title: transferWords.importTitle, text: transferWords.importText },
    { kind: 'downloads', icon: Download, title: words.downloads.open, text: words.downloads.text },
  ];
  return (
    <div className="page">
      <h1>{w.title}</h1>
      <p className="muted">{w.chooseTitle}</p>
      <ul className="choices">
        {choices.map(({ kind, icon: Icon, title, text }) => (
          <li key={kind}>
            <Link href={kind === 'downloads' || kind === 'import' ? `/${kind}` : `/new/${kind}`} className="choice">
              <Icon size={20} aria-hidden="true" />
              <span className="choice-words">
                <span className="choice-title">{title}</span>
                <span className="muted">{text}</span>
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </div>
  );
}
