// From navigation until MiniSearch can be asked something.

import MiniSearch from '/peers/minisearch/dist/es/index.js';

export default () => {
  new MiniSearch({ fields: ['gloss'] });
  return performance.now();
};
