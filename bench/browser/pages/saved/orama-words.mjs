// From navigation to the first answer of a saved Orama of texts.

import { restored } from './orama.mjs';

export default () => restored('words', ({ text }) => ({ term: text }));
