// From navigation to the first answer of a saved collection of texts with vectors.

import { first } from '../data.mjs';
import { opened } from './opened.mjs';

export default () => opened('both', async () => {
  const { vector, text } = await first();
  return { vector, text };
});
