// From navigation to the first answer of a saved Orama of texts with vectors.

import { restored } from './orama.mjs';

export default () => restored('both', ({ text, vector }) => (
  { mode: 'hybrid', term: text, vector: { value: vector, property: 'embedding' } }
));
