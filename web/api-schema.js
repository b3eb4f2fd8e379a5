// Schemas as lists of fields. A named schema is drawn when it is opened, so that one that holds itself has an end.

import { make } from './dom.js';

/** What a reference names, with what is said of it in its place; itself when it is none. */
export function resolve(api, { $ref, ...rest }) {
  if (!$ref) return rest;
  const [, , kind, name] = $ref.split('/');
  return { ...api.components[kind][name], ...rest };
}

/** What is said of a schema: of one that may be null as well, what is said of the other. */
const saidOf = ({ description, anyOf }) => description ?? anyOf?.find((choice) => choice.description)?.description ?? '';

const nameOf = ({ $ref } = {}) => $ref?.split('/').at(-1);

/** The type of a schema in a few words. */
function wordsFor(schema = {}) {
  const name = nameOf(schema);
  if (name) return name;
  if (schema.anyOf) return schema.anyOf.map(wordsFor).join(' | ');
  const kinds = [schema.type ?? 'anything'].flat();
  return kinds.map((kind) => {
    if (kind === 'array') return `list of ${wordsFor(schema.items)}`;
    if (kind === 'object' && schema.additionalProperties?.type) return `map of ${wordsFor(schema.additionalProperties)}`;
    return kind;
  }).join(' | ');
}

/** What a value may be, beside its type. */
function boundsOf({ enum: values, minimum, maximum, minLength, maxLength, maxItems, pattern }) {
  const range = (from, to, unit) => (from === undefined && to === undefined ? '' : `${from ?? ''}..${to ?? ''}${unit}`);
  return [
    values && values.map((value) => JSON.stringify(value)).join(' | '),
    range(minimum, maximum, ''), range(minLength, maxLength, ' characters'), range(undefined, maxItems, ' items'), pattern,
  ].filter(Boolean).join(', ');
}

/** The schemas with fields that stand somewhere in a schema: itself, its items, its choices. */
function partsOf(schema = {}) {
  if (schema.$ref || schema.properties) return [schema];
  if (schema.anyOf) return schema.anyOf.flatMap(partsOf);
  if (schema.items) return partsOf(schema.items);
  return typeof schema.additionalProperties === 'object' ? partsOf(schema.additionalProperties) : [];
}

function field(api, name, schema, isRequired) {
  return make('li', {},
    make('code', { className: 'name' }, name), make('span', { className: 'kind' }, `${wordsFor(schema)}${isRequired ? '' : ', optional'}`),
    make('span', { className: 'told' }, saidOf(schema)), shapeOf(api, schema));
}

function fieldsOf(api, { properties, required = [] }) {
  const rows = Object.entries(properties).map(([name, schema]) => field(api, name, schema, required.includes(name)));
  return make('ul', { className: 'fields' }, rows);
}

/** What is inside: its bounds, and its fields, which are open where `isOpen`. */
export function shapeOf(api, schema, isOpen = false) {
  const bounds = boundsOf(schema);
  const inner = partsOf(schema).map((part) => {
    const whole = () => {
      const found = part.$ref ? resolve(api, { $ref: part.$ref }) : part;
      return found.properties ? fieldsOf(api, found) : [make('p', { className: 'told' }, found.description ?? ''), shapeOf(api, found)];
    };
    const name = nameOf(part);
    if (isOpen && !name && Object.keys(part.properties).length > 0) return whole();
    if (!name && Object.keys(part.properties).length === 0) return null;
    const details = make('details', { className: 'shape' }, make('summary', {}, name ?? 'fields'));
    details.addEventListener('toggle', () => {
      if (details.open && details.childElementCount === 1) details.append(...[whole()].flat());
    });
    details.open = isOpen;
    return details;
  });
  const words = isOpen && inner.length === 0 && make('p', { className: 'told' }, schema.description || wordsFor(schema));
  return make('div', { className: 'inner' }, bounds && make('code', { className: 'bounds' }, bounds), words, inner);
}
