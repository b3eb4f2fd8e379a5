// Writes parts of filters and finds places in them. Pure functions over strings.

const KEYWORDS = new Set(
  'and or not in is null true false exists contains matches between like any'.split(' '),
);

/** `field = value` in the filter language, quoted where it has to be. */
export function equals(field: string, value: string | number | boolean): string {
  return `${quoteField(field)} = ${typeof value === 'string' ? quoteText(value) : String(value)}`;
}

function quoteField(field: string): string {
  const bare = /^[\w.-]+$/.test(field) && !KEYWORDS.has(field.toLowerCase());
  return bare ? field : `\`${field.replaceAll('\\', '\\\\').replaceAll('`', '``')}\``;
}

function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** Whether the filter already demands this part, as one of what its AND joins. */
export const demands = (filter: string, part: string): boolean => parts(filter).includes(part);

/** The filter that demands this part too, or no longer when it did. */
export function toggle(filter: string, part: string): string {
  const all = parts(filter);
  if (all.includes(part)) return all.filter((other) => other !== part).join(' AND ');
  if (all.length === 0) return part;
  // AND binds tighter than OR: what stands there keeps its meaning in parentheses.
  const kept = hasOr(filter) ? `(${filter.trim()})` : filter.trim();
  return `${kept} AND ${part}`;
}

/** What the outermost AND joins; one part when an OR stands beside it. */
function parts(filter: string): string[] {
  const found: string[] = [];
  let from = 0;
  for (const { word, start, end } of outerWords(filter)) {
    if (word === 'or') return [filter.trim()];
    if (word !== 'and') continue;
    found.push(filter.slice(from, start).trim());
    from = end;
  }
  found.push(filter.slice(from).trim());
  return found.filter(Boolean);
}

const hasOr = (filter: string): boolean => outerWords(filter).some(({ word }) => word === 'or');

/** Words outside quotes and parentheses, lower-cased. */
function outerWords(filter: string): { word: string; start: number; end: number }[] {
  const token = /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`|[()]|[^\s'"`()=<>!,]+/g;
  const words = [];
  let depth = 0;
  for (const { 0: text, index } of filter.matchAll(token)) {
    if (text === '(') depth += 1;
    else if (text === ')') depth -= 1;
    else if (depth === 0) words.push({ word: text.toLowerCase(), start: index, end: index + text.length });
  }
  return words;
}

/** A text cut around the character at a byte of its UTF-8: what is before, that character, what is after. */
export function cutAtByte(text: string, position: number): { before: string; at: string; after: string } {
  const encoder = new TextEncoder();
  let bytes = 0;
  let before = '';
  for (const character of text) {
    if (bytes >= position) return { before, at: character, after: text.slice(before.length + character.length) };
    bytes += encoder.encode(character).length;
    before += character;
  }
  return { before, at: '', after: '' };
}
