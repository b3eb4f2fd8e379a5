// From navigation to the first answer of a saved collection of many vectors.

import { rowQuery } from '../rows.mjs';
import { opened } from './opened.mjs';

export default () => opened('rows', async () => ({ vector: rowQuery() }));
