// The API's page: every route of openapi.json, by group, each with what it takes, what it answers and a curl line. Routes
// are drawn when they are opened: the document has more of them than anybody reads at once.

import { commandOf } from './api-command.js';
import { resolve, shapeOf } from './api-schema.js';
import { byId, make } from './dom.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
/** How long the button says that it has copied, in ms. */
const COPIED = 1500;

/** The routes of a group, in the order of the document. */
function operationsOf(api, tag) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]?.tags?.[0] === tag)
      .map((method) => ({ path, method: method.toUpperCase(), operation: item[method] })));
}

/** What an address can name: the id of an operation, or its method and path. */
const anchorOf = ({ method, path, operation }) => operation.operationId ?? `${method}${path.replace(/[^a-z0-9]+/gi, '-')}`;
const slug = (name) => `group-${name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;

/** The role that a route needs; none for one that everybody may ask. */
const roleOf = ({ security }) => security?.[0] && Object.values(security[0])[0]?.[0];

function drawRoute(api, route) {
  const { method, path, operation } = route;
  const role = roleOf(operation);
  const body = make('div', { className: 'body' });
  const summary = make('summary', {},
    make('span', { className: 'method', data: { method } }, method),
    make('code', { className: 'path' }, ...pathOf(path)),
    make('span', { className: 'what' }, operation.summary ?? ''),
    make('span', { className: 'role', title: role ? `needs the role ${role}` : 'needs no token' }, role ?? 'public'));
  const details = make('details', { className: 'route', id: anchorOf(route) }, summary, body);
  details.addEventListener('toggle', () => {
    if (details.open && !body.firstChild) body.append(...drawBody(api, route));
  });
  return details;
}

/** A path that can be broken at its slashes, its variables told apart. */
function pathOf(path) {
  return path.split(/(?=\/)/).flatMap((part) => {
    const [, before, variable, rest] = /^([^{]*)(\{[^}]*\})(.*)$/.exec(part) ?? [null, part];
    return [document.createElement('wbr'), before, variable && make('var', {}, variable), rest];
  });
}

function drawBody(api, route) {
  const { operation } = route;
  return [
    ...(operation.description ?? '').split('\n\n').filter(Boolean).map((text) => make('p', {}, text)),
    ...drawCommand(api, route),
    ...drawParameters(api, operation.parameters),
    ...drawContents(api, 'Body', operation.requestBody?.content),
    ...drawAnswers(api, operation.responses),
  ];
}

function drawCommand(api, route) {
  const text = commandOf(api, route);
  const copy = make('button', { type: 'button', className: 'copy' }, 'Copy');
  const code = make('pre', { tabIndex: 0, aria: { label: 'A curl line' } }, make('code', {}, text));
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = 'Copied';
      byId('spoken').textContent = 'Copied.';
      setTimeout(() => { copy.textContent = 'Copy'; }, COPIED);
    } catch {
      // Without the right to the clipboard, the reader copies it.
      getSelection().selectAllChildren(code);
    }
  });
  return [make('div', { className: 'command' }, code, copy)];
}

function drawParameters(api, parameters = []) {
  if (parameters.length === 0) return [];
  const row = ({ name, in: place, required, description, schema }) => make('li', {},
    make('code', { className: 'name' }, name),
    make('span', { className: 'kind' }, place === 'path' ? 'path' : `${place}${required ? '' : ', optional'}`),
    make('span', { className: 'told' }, description ?? ''), shapeOf(api, schema));
  return [make('h3', {}, 'Parameters'), make('ul', { className: 'fields' }, parameters.map(row))];
}

function drawContents(api, title, contents) {
  if (!contents) return [];
  return Object.entries(contents).flatMap(([type, { schema }], i) => [
    i === 0 && make('h3', {}, title), make('p', { className: 'type' }, make('code', {}, type)), schema && shapeOf(api, schema, true),
  ]).filter(Boolean);
}

function drawAnswers(api, responses = {}) {
  const answers = Object.entries(responses).map(([status, answer]) => [status, resolve(api, answer)]);
  const good = answers.filter(([status]) => /^[123]/.test(status));
  const bad = answers.filter(([status]) => !/^[123]/.test(status));
  const refusal = ([status, { description }]) => make('li', {},
    make('code', { className: 'name' }, status), make('span', { className: 'told' }, description));
  return [
    ...good.flatMap(([status, { content, description }]) => (content
      ? drawContents(api, `Answer ${status}`, content)
      : [make('h3', {}, `Answer ${status}`), make('p', {}, description)])),
    bad.length > 0 && make('h3', {}, 'Refusals'),
    bad.length > 0 && make('ul', { className: 'fields refusals' }, bad.map(refusal)),
  ].filter(Boolean);
}

function drawGroup(api, { name, description }) {
  const routes = operationsOf(api, name).map((route) => drawRoute(api, route));
  const section = make('section', { id: slug(name), aria: { label: name } },
    make('h2', {}, name), make('p', { className: 'about' }, description ?? ''), routes);
  const link = make('a', { href: `#${slug(name)}` }, name, make('span', { className: 'count' }, String(routes.length)));
  return { section, link, routes };
}

/** Shows the routes in which all words of the box stand. */
function filter(groups) {
  const words = byId('find').value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { section, link, routes } of groups) {
    let shown = 0;
    for (const route of routes) {
      const text = `${route.firstChild.textContent} ${route.id}`.toLowerCase();
      route.hidden = !words.every((word) => text.includes(word));
      if (!route.hidden) shown += 1;
    }
    section.hidden = shown === 0;
    link.hidden = shown === 0;
    count += shown;
  }
  byId('found').textContent = words.length === 0 ? '' : `${count} ${count === 1 ? 'route' : 'routes'}`;
}

/** An address that somebody typed may be no text. */
function unescaped(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** Opens what the address names. */
function openNamed() {
  const named = document.getElementById(unescaped(location.hash.slice(1)));
  if (!named) return;
  if (named.tagName === 'DETAILS') named.open = true;
  named.scrollIntoView();
}

async function start() {
  const response = await fetch('openapi.json');
  if (!response.ok) throw new Error(`openapi.json: ${response.status}`);
  const api = await response.json();
  byId('version').textContent = `API ${api.info.version}`;
  const groups = api.tags.map((tag) => drawGroup(api, tag));
  byId('groups').append(...groups.map(({ link }) => link));
  byId('verbs').append(make('p', { className: 'about' }, api.info.description ?? ''), ...groups.map(({ section }) => section));
  byId('find').addEventListener('input', () => filter(groups));
  addEventListener('hashchange', openNamed);
  openNamed();
}

start().catch((error) => {
  byId('verbs').append(make('p', { className: 'notice', role: 'alert' }, `The API's document could not be read: ${error.message}.`));
});
