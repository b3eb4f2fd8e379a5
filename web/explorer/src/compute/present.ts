// Decides what of a document is its title, its text and its small facts. Pure functions: a collection may hold any JSON,
// and none of it is known to these pages.

/** Metadata fields that make good titles and texts, the best first. */
const TITLE_FIELDS = ['lemmas', 'title', 'name', 'headline', 'subject', 'label'];
const TEXT_FIELDS = ['gloss', 'text', 'content', 'body', 'abstract', 'description', 'summary', 'chunk'];
const [FACTS_MAX, FACT_LENGTH] = [8, 40];

type Short = string | number | boolean;

/** What a card shows. */
export interface Shown {
  title: string;
  /** Whether that is the id, for want of anything better. */
  isIdTitle: boolean;
  /** Other names. */
  others: string[];
  text: { field: string; value: string } | undefined;
  /** To filter by. */
  chips: { field: string; value: Short }[];
}

/** `textFields`: what of the collection is searched by words. */
export function describeDocument({ id, metadata }: { id: string; metadata: object }, textFields: unknown): Shown {
  const fields = metadata as Record<string, unknown>;
  const used = new Set<string>();
  const titleField = TITLE_FIELDS.find((field) => names(fields[field]).length > 0);
  const [title = id, ...others] = titleField ? names(fields[titleField]) : [id];
  if (titleField) used.add(titleField);
  const text = mainText(fields, used, textFields);
  if (text) used.add(text.field);
  const chips = Object.entries(fields).filter(([field]) => !used.has(field)).flatMap(([field, value]) => {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    return values.filter(isShort).map((one) => ({ field, value: one }));
  });
  return { title, others, text, chips: chips.slice(0, FACTS_MAX), isIdTitle: !titleField };
}

function names(value: unknown): string[] {
  const all: unknown[] = Array.isArray(value) ? value : [value];
  return all.filter((one): one is string => typeof one === 'string' && one.trim() !== '');
}

const isShort = (value: unknown): value is Short => typeof value === 'number' || typeof value === 'boolean'
  || (typeof value === 'string' && value !== '' && value.length <= FACT_LENGTH);

/** A field known by its name, else one that the collection searches, else the longest string. */
function mainText(fields: Record<string, unknown>, used: Set<string>, textFields: unknown): Shown['text'] {
  const textOf = (field: string): string => {
    const value = used.has(field) ? '' : fields[field];
    return typeof value === 'string' ? value : '';
  };
  const searched: string[] = Array.isArray(textFields) ? textFields : [];
  const longest = Object.keys(fields).filter((field) => textOf(field).length > FACT_LENGTH)
    .sort((a, b) => textOf(b).length - textOf(a).length);
  const field = [...TEXT_FIELDS, ...searched, ...longest].find((one) => textOf(one) !== '');
  return field === undefined ? undefined : { field, value: textOf(field) };
}
