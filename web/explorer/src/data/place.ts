// Where this page was served from: the one thing that addresses start at, so that it works below any path of a proxy.

/** The address of the server of this page: a folder above `ui/`. */
export const serverAddress = (page: string = document.baseURI): URL => new URL('../', bare(page));

/** The engine's entry. */
export const engineAddress = (page: string = document.baseURI): URL => new URL('kithdb/browser.js', bare(page));

/** The script of the service worker that keeps the pages. */
export const offlineAddress = (page: string = document.baseURI): URL => new URL('offline.js', bare(page));

/** The script of the Worker in which the engine runs, so that nothing it does keeps the page from answering. */
export const engineWorkerAddress = (page: string = document.baseURI): URL => new URL('kithdb/worker/worker.js', bare(page));

function bare(page: string): URL {
  const url = new URL(page);
  url.search = '';
  url.hash = '';
  return url;
}
