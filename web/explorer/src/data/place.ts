// Where this page was served from: the one thing that addresses start at, so that it works below any path of a proxy.

/** The address of the server of this page: two folders above `ui/explorer/`. */
export const serverAddress = (page: string = document.baseURI): URL => new URL('../../', bare(page));

/** The engine's entry, which the server has for its search page already. */
export const engineAddress = (page: string = document.baseURI): URL => new URL('../kithdb/browser.js', bare(page));

/** The script of the Worker in which the engine runs, so that nothing it does keeps the page from answering. */
export const engineWorkerAddress = (page: string = document.baseURI): URL => new URL('../kithdb/worker/worker.js', bare(page));

function bare(page: string): URL {
  const url = new URL(page);
  url.search = '';
  url.hash = '';
  return url;
}
