/** What the catalogue shows, as an address: every search can be linked to, and back and forward work. */

export type CatalogueAddress = {
  query: string;
  /** The image whose panel is open. */
  image: string | null;
  /** The path in the import dialog, empty when it is open without one. */
  importing: string | null;
};

/** Reads the part of an address behind `?`. */
export function parseCatalogueSearch(search: string): CatalogueAddress {
  const parameters = new URLSearchParams(search);
  return { query: parameters.get('q') ?? '', image: parameters.get('image') || null, importing: parameters.get('import') };
}

/** The reverse of {@link parseCatalogueSearch}. */
export function cataloguePath({ query, image, importing }: CatalogueAddress): string {
  const parameters = new URLSearchParams();
  if (query !== '') parameters.set('q', query);
  if (image !== null) parameters.set('image', image);
  if (importing !== null) parameters.set('import', importing);
  const search = parameters.toString();
  return search === '' ? '/images' : `/images?${search}`;
}
