import { Bookmark, BookmarkPlus, Check, History, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import type { Facets, SavedSearch } from '../../../contract/image-catalogue.ts';
import { chosenValues, parseImageQuery, toggleValue } from '../../../contract/image-query.ts';
import type { FieldName } from '../../../contract/image-query-fields.ts';
import { call } from '../../state/bridge.ts';
import { showErrorToast, showToast } from '../../state/toasts.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { words } from '../../words/en.ts';
import { formatInteger } from '../../words/format.ts';

const w = words.images;
const valuesShown = 7;

type Props = {
  query: string;
  onQuery: (query: string) => void;
  facets: Facets | null;
  saved: readonly SavedSearch[];
  onSave: () => void;
  onSavedChanged: () => void;
  outdatedGuests: number;
};

/** What to narrow down by: saved searches, then the values that occur in what was found. */
export function FacetList({ query, onQuery, facets, saved, onSave, onSavedChanged, outdatedGuests }: Props) {
  const isAsked = query.trim() !== '' && parseImageQuery(query).problem === null;
  const isSaved = saved.some((search) => search.query.trim() === query.trim());
  const remove = async (search: SavedSearch) => {
    const answer = await call('search.delete', { name: search.name });
    if (!answer.ok) return showErrorToast(answer.error);
    onSavedChanged();
    const undo = async () => {
      const back = await call('search.save', { name: search.name, query: search.query });
      if (back.ok) onSavedChanged();
      else showErrorToast(back.error);
    };
    showToast({ tone: 'info', title: w.searchDeleted(search.name), action: { label: words.common.undo, run: () => void undo() } });
  };
  return (
    <>
      {(saved.length > 0 || isAsked) && (
        <section className="facet">
          <h2>{w.facets.saved}</h2>
          <ul>
            {saved.map((search) => (
              <li key={search.name} className="facet-line">
                <FacetButton
                  label={search.name}
                  title={search.query}
                  icon={<Bookmark size={14} aria-hidden="true" />}
                  isOn={search.query.trim() === query.trim()}
                  onPress={() => onQuery(search.query)}
                />
                <IconButton icon={X} label={w.deleteSearch(search.name)} className="facet-remove" onPress={() => void remove(search)} />
              </li>
            ))}
          </ul>
          {isAsked && !isSaved && (
            <Button kind="quiet" icon={BookmarkPlus} className="facet-save" onPress={onSave}>
              {w.saveSearch}
            </Button>
          )}
        </section>
      )}
      {outdatedGuests > 0 && (
        <Link href="/library?place=outdated" className="facet-outdated row">
          <History size={16} aria-hidden="true" />
          {w.outdatedGuests(outdatedGuests)}
        </Link>
      )}
      <Facet
        field="lifecycle"
        values={facets?.lifecycle}
        label={(value) => w.lifecycles[value as keyof typeof w.lifecycles] ?? value}
        query={query}
        onQuery={onQuery}
      />
      <Facet field="os" values={facets?.os} query={query} onQuery={onQuery} />
      <Facet field="tag" values={facets?.tag} query={query} onQuery={onQuery} />
      <Facet field="series" values={facets?.series} query={query} onQuery={onQuery} />
      {(facets?.series.length ?? 0) > 0 && (
        <Facet
          field="is"
          values={['latest', 'outdated'].map((value) => ({ value, count: null }))}
          label={(value) => w.standings[value] ?? value}
          query={query}
          onQuery={onQuery}
        />
      )}
      <Facet
        field="arch"
        values={facets?.arch}
        label={(value) => (value === 'none' ? w.notKnown : value)}
        query={query}
        onQuery={onQuery}
      />
      <Facet
        field="kind"
        values={facets?.kind}
        label={(value) => w.kinds[value as keyof typeof w.kinds] ?? value}
        query={query}
        onQuery={onQuery}
      />
    </>
  );
}

type FacetProps = Pick<Props, 'query' | 'onQuery'> & {
  field: FieldName & keyof typeof w.facets;
  values: readonly { value: string; count: number | null }[] | undefined;
  label?: (value: string) => string;
};

/** The values of one field. One that is asked for stays, also when nothing has it. */
function Facet({ field, values = [], label = (value) => value, query, onQuery }: FacetProps) {
  const [all, setAll] = useState(false);
  const chosen = chosenValues(query, field);
  const missing = [...chosen].filter((value) => !values.some((each) => each.value.toLowerCase() === value));
  const offered = [...missing.map((value) => ({ value, count: null })), ...values];
  // What would change nothing is no choice: everything found has it.
  if (offered.length < 2 && chosen.size === 0) return null;
  const shown = all ? offered : offered.slice(0, valuesShown);
  return (
    <section className="facet">
      <h2>{w.facets[field]}</h2>
      <ul>
        {shown.map(({ value, count }) => (
          <li key={value} className="facet-line">
            <FacetButton
              label={label(value)}
              isOn={chosen.has(value.toLowerCase())}
              count={count}
              isCheck
              onPress={() => onQuery(toggleValue(query, field, value))}
            />
          </li>
        ))}
      </ul>
      {offered.length > valuesShown && (
        <Button kind="quiet" className="facet-more" onPress={() => setAll(!all)}>
          {all ? w.fewerValues : w.moreValues(offered.length - valuesShown)}
        </Button>
      )}
    </section>
  );
}

type ButtonProps = {
  label: string;
  title?: string;
  icon?: ReactNode;
  isOn: boolean;
  count?: number | null;
  isCheck?: boolean;
  onPress: () => void;
};

function FacetButton({ label, title, icon, isOn, count = null, isCheck = false, onPress }: ButtonProps) {
  return (
    <button
      type="button"
      className={isOn ? 'facet-button facet-on' : 'facet-button'}
      title={title ?? label}
      onClick={onPress}
      {...(isCheck ? { role: 'checkbox', 'aria-checked': isOn } : { 'aria-pressed': isOn })}
    >
      {isCheck ? <span className="facet-box">{isOn && <Check size={12} strokeWidth={3} aria-hidden="true" />}</span> : icon}
      <bdi className="ellipsis grow">{label}</bdi>
      {count !== null && <span className="facet-count">{formatInteger(count)}</span>}
    </button>
  );
}
