// From navigation to the first answer of a saved collection of vectors.

import { first } from '../data.mjs';
import { opened } from './opened.mjs';

export default () => opened('vectors', async () => ({ vector: (await first()).vector }));
