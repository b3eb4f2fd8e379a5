// From navigation to the first answer of a saved collection of texts.

import { first } from '../data.mjs';
import { opened } from './opened.mjs';

export default () => opened('words', async () => ({ text: (await first()).text }));
