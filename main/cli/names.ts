/** From what a person types to an id: an exact id, an exact name, or a name in another case. */
import { type ErrorCode, Failure } from '../../contract/errors.ts';

type Named = { id: string; name: string };

/**
 * @throws Failure `notFound` with the nearest names as a hint, `ambiguous` with the ids to choose from
 */
export function resolveName<Item extends Named>(
  items: readonly Item[],
  wanted: string,
  words: { noun: string; notFound: ErrorCode; ambiguous: ErrorCode },
): Item {
  const byId = items.find((item) => item.id === wanted);
  if (byId) return byId;
  const exact = items.filter((item) => item.name === wanted);
  const matches = exact.length > 0 ? exact : items.filter((item) => item.name.toLocaleLowerCase() === wanted.toLocaleLowerCase());
  const [only] = matches;
  if (only && matches.length === 1) return only;
  if (matches.length > 1) {
    throw new Failure(words.ambiguous, `${matches.length} ${words.noun}s are called “${wanted}”.`, {
      hint: `Use an id: ${matches.map((item) => item.id).join(', ')}.`,
    });
  }
  const near = nearest(
    items.map((item) => item.name),
    wanted,
  );
  throw new Failure(words.notFound, `There is no ${words.noun} called “${wanted}”.`, {
    hint: near.length > 0 ? `Did you mean ${near.map((name) => `“${name}”`).join(' or ')}?` : `“guesthouse ${words.noun} list” shows all.`,
  });
}

/** Up to three names within a third of `wanted`'s length in edits, or that begin with it. */
function nearest(names: readonly string[], wanted: string): string[] {
  const lower = wanted.toLocaleLowerCase();
  const limit = Math.max(1, Math.floor(lower.length / 3));
  return names
    .map((name) => ({ name, distance: name.toLocaleLowerCase().startsWith(lower) ? 0 : editDistance(name.toLocaleLowerCase(), lower) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Levenshtein's distance, by rows. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substituted = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substituted, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
