// Runs the page that the address names: `/?cold/kith` runs pages/cold/kith.mjs. What it measures is in `result`.

globalThis.result = import(`./${location.search.slice(1)}.mjs`).then((page) => page.default());
