// A curl line for a route, with the body that the document gives as an example, or the least that its schema asks for.

import { resolve } from './api-schema.js';

/** What stands for variables of paths. */
const VARIABLES = { name: 'films', id: 'moon', key: 'greeting', file: 'offline.js' };
/** A body of more characters is broken into lines. */
const LINE = 60;

/** The route as a command. */
export function commandOf(api, { method, path, operation }) {
  // The page is beside what the paths begin at, wherever a proxy put both.
  const server = new URL('.', document.baseURI).href.replace(/\/$/, '');
  const url = path.replace(/\{(\w+)\}/g, (_, name) => VARIABLES[name] ?? 'x');
  const parts = [`curl ${method === 'GET' ? '' : `-X ${method} `}${server}${url}`];
  if (operation.security?.length > 0) parts.push('-H "Authorization: Bearer $KITHDB_TOKEN"');
  const content = operation.requestBody?.content ?? {};
  const json = content['application/json'];
  if (json) {
    const body = json.example ?? least(api, json.schema);
    parts.push("-H 'Content-Type: application/json'", `-d ${quoted(written(body))}`);
  } else if (content['application/octet-stream']) {
    parts.push("-H 'Content-Type: application/octet-stream'", '--data-binary @films.kith');
  }
  const answers = Object.values(operation.responses).flatMap((response) => Object.keys(response.content ?? {}));
  if (answers[0] === 'application/octet-stream') parts.push('-o films.kith');
  if (answers[0] === 'text/event-stream') parts.push('-N');
  return parts.join(' \\\n  ');
}

/** A body on one line, or where it is long with a line for each field. */
function written(body) {
  const text = JSON.stringify(body);
  if (text.length <= LINE) return text;
  return `{\n${Object.entries(body).map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(',\n')}\n  }`;
}

/** Text that a shell takes as it stands. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** The least that a schema accepts. */
function least(api, schema) {
  const { type, properties = {}, required = [], anyOf, enum: values, items, minimum } = resolve(api, schema ?? {});
  if (values) return values[0] || values[1];
  if (anyOf) return least(api, anyOf[0]);
  const kind = Array.isArray(type) ? type[0] : type;
  if (kind === 'object') return Object.fromEntries(required.map((name) => [name, least(api, properties[name])]));
  if (kind === 'array') return [least(api, items)];
  if (kind === 'integer' || kind === 'number') return Math.max(minimum ?? 1, 1);
  return kind === 'boolean' ? true : 'text';
}
