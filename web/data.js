// The only module that knows where the data is. It speaks the shape of the TypeScript interface, a database with
// collections that answer `search(request)`, here over /v1 of this page's own origin; an engine that runs in the
// tab can take its place without a change elsewhere.

/** An error with the core's code; `position` counts bytes of UTF-8. */
export class KithError extends Error {
  constructor({ code, message, expected, got, position, hint }) {
    super(message);
    this.name = 'KithError';
    Object.assign(this, { code, expected, got, position, hint });
  }
}

/** The database behind this page. */
export function connect(base = '/v1') {
  return {
    /** What each collection is and holds, and those that are damaged, each with a name and its error. */
    async collections({ signal } = {}) {
      const { collections, unopenable = [] } = await ask(`${base}/collections`, { signal });
      return { collections, unopenable };
    },

    /** What to type into a terminal to store the first document; it makes the collection when asked to. */
    firstSteps(name, document, { create }) {
      const at = new URL(`${base}/collections`, location.href).href;
      const add = asCurl(`${at}/${encodeURIComponent(name)}/documents`, { documents: [document] });
      return create ? [asCurl(at, { name, text: {} }), add] : [add];
    },

    collection(name) {
      const path = `${base}/collections/${encodeURIComponent(name)}/search`;
      return {
        name,
        /** Hits and warnings. Rejects with a KithError, or an AbortError when the signal says so. */
        search: (request, { signal } = {}) => ask(path, { method: 'POST', body: request, signal }),
        /** The same search for a terminal. */
        curl: (request) => asCurl(new URL(path, location.href).href, request),
      };
    },
  };
}

async function ask(path, { method = 'GET', body, signal }) {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new KithError({ code: 'unreachable', message: 'the server does not answer' });
  }
  let answer;
  try {
    answer = await response.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    answer = undefined;
  }
  if (response.ok && answer !== undefined) return answer;
  throw new KithError(answer?.code ? answer : unreadable(response));
}

/** For answers of something between us and the server, which speaks no JSON. */
function unreadable({ status, statusText }) {
  const message = `the server answered ${status} ${statusText}`.trim();
  return { code: 'unreadable', message, hint: 'look at the server\u2019s output for the reason' };
}

function asCurl(url, request) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return `curl -s ${quoted(url)} \\\n  -H 'content-type: application/json' \\\n  -d ${quoted(JSON.stringify(request))}`;
}
