// The page: holds what is being asked, asks it, and hands the answer to those that draw. An answer to a question
// that is no longer the current one is dropped, so that what is shown always belongs to what the controls say.

import { makeCodeButton } from './code-button.js';
import { makeControls } from './controls.js';
import { canSearchInTab, connect, isKept } from './data.js';
import { byId, debounce, make } from './dom.js';
import { toggle } from './filters.js';
import * as notices from './notices.js';
import { addressOf, makePlaceSwitch, placeOf } from './place.js';
import { count } from './present.js';
import { makeResults, spoken } from './results.js';
import { EXAMPLES, FIRST, SEARCH, TAB_EXAMPLES, WAIT } from './settings.js';
import { keepAddress, parseHash } from './state.js';
import { makeTabPanel } from './tab-panel.js';

const writeAddress = keepAddress();
const results = makeResults(byId('list'), { onFact: (part) => change({ filter: toggle(state.filter, part) }) });
const controls = makeControls({
  onChange: (part, kind) => {
    Object.assign(state, part, { k: SEARCH.k });
    if (kind === 'slider') searchAtPace();
    else searchSoon(WAIT[kind] ?? WAIT.text);
  },
  onSubmit: () => searchSoon.now(),
  onDown: () => results.focusFirst(),
});
const placeSwitch = makePlaceSwitch({ onChoose: (chosen) => enter(chosen) });
const panel = makeTabPanel(byId('tab'), { onChange: reload, say });
const codeButton = makeCodeButton({ read: () => database.collection(state.collection).asCode(lastRequest), say });
const searchSoon = debounce(() => search());
const speakSoon = debounce(() => { byId('spoken').textContent = toSpeak; });

let state = parseHash(location.hash);
let place = placeOf(location.search);
let database = connect(place);
let infos = [];
let broken = [];
/** What there is has been asked; whatever is searched meanwhile is searched afterwards. */
let isOpening = true;
let running = new AbortController();
let isAsking = false;
let isMoved = false;
let lastRequest = null;
let toSpeak = '';

/** A change by a click: what it leads to is a step of its own for Back. */
function change(part) {
  Object.assign(state, { k: SEARCH.k }, part);
  controls.show(state);
  search({ settled: true });
}

const current = () => infos.find((info) => info.name === state.collection);

/** Which sides the query has: the vector's, the words'. */
function sides(info, vector) {
  const words = info.language !== null && state.text.trim() !== '';
  return { words, vector: vector !== undefined || (words && info.embedder !== null) };
}

/** The vector in the box; undefined when it is empty. */
function readVector() {
  if (state.vector === '') return undefined;
  let vector;
  try {
    vector = JSON.parse(state.vector);
  } catch {
    vector = null;
  }
  if (Array.isArray(vector) && vector.length > 0 && vector.every((x) => typeof x === 'number')) return vector;
  throw Object.assign(new Error('this is not a JSON array of numbers, such as [0.1, -0.2]'), { code: 'invalid_vector' });
}

function makeRequest(vector, asked) {
  const request = { k: state.k };
  if (asked.words) request.text = state.text.trim();
  if (vector !== undefined) request.vector = vector;
  if (state.filter.trim() !== '') request.filter = state.filter;
  if (asked.words && asked.vector) request.alpha = state.alpha;
  if (asked.words || asked.vector) request.explain = true;
  return request;
}

/**
 * For a control on its way: asks as often as answers come. Cancelling each question for the next, or waiting for
 * the hand to rest, would leave the results still for as long as the slider moves.
 */
function searchAtPace() {
  if (isAsking) isMoved = true;
  else search();
}

async function search({ settled = false, replace = false } = {}) {
  if (isOpening) return;
  running.abort();
  const { signal } = (running = new AbortController());
  isMoved = false;
  writeAddress(state, { settled, replace });
  const info = current();
  showFacts(info);
  if (!info) return showUnknown();
  controls.showAbilities(info, state);
  document.title = state.text ? `${state.text} \u2013 KithDB` : 'KithDB';
  const busy = setTimeout(() => showBusy(true), WAIT.busy);
  const start = performance.now();
  const asked = { ...state };
  isAsking = true;
  try {
    const vector = readVector();
    Object.assign(asked, { sides: sides(info, vector) });
    lastRequest = makeRequest(vector, asked.sides);
    const answer = await database.collection(info.name).search(lastRequest, { signal });
    if (!signal.aborted) showAnswer(answer, info, asked, performance.now() - start);
  } catch (error) {
    if (!signal.aborted) showError(error, asked);
  } finally {
    clearTimeout(busy);
    if (!signal.aborted) {
      isAsking = false;
      showBusy(false);
      if (isMoved) search();
    }
  }
}

function showBusy(isBusy) {
  byId('busy').hidden = !isBusy;
  byId('results').setAttribute('aria-busy', String(isBusy));
}

function showAnswer({ hits, warnings }, info, asked, took) {
  const isRanked = asked.sides.words || asked.sides.vector;
  controls.showFilterError(null);
  controls.showVectorError(null);
  results.dim(false);
  results.show(hits, { asked: asked.sides, alpha: asked.alpha, filter: asked.filter, info });
  byId('warnings').replaceChildren(...notices.warnings(warnings ?? []));
  byId('notice').replaceChildren(...(hits.length > 0 ? [] : [reasonForNothing(info, asked)]));
  byId('results-head').hidden = hits.length === 0;
  codeButton.reset();
  byId('summary').textContent = isRanked
    ? `${count(hits.length, 'result')} in ${Math.max(1, Math.round(took))} ms`
    : `The first ${count(hits.length, 'document')}${asked.filter ? ' that the filter lets through' : ''}`;
  byId('more').hidden = hits.length < asked.k || asked.k >= SEARCH.kMax;
  showExamples(info, isRanked || asked.filter !== '');
  say(spoken(hits));
}

const reasonForNothing = (info, asked) => (info.documents === 0
  ? notices.emptyCollection(info, database.firstSteps(info.name, FIRST.document, { create: false }))
  : notices.nothingFound(asked, { onClearFilter: () => change({ filter: '' }) }));

/** An error of one control is shown there, over the earlier results; any other takes the results' place. */
function showError(error, asked) {
  const isFilter = error.code === 'invalid_filter';
  const isVector = error.code === 'dimension_mismatch' || error.code === 'invalid_vector';
  controls.showFilterError(isFilter ? error : null, asked.filter);
  controls.showVectorError(isVector ? error : null);
  results.dim(true);
  if (isFilter || isVector) {
    byId('notice').replaceChildren();
    byId('summary').textContent = 'Results of the last search that worked';
    byId('more').hidden = true;
    return;
  }
  showFailure(error);
}

const showFailure = (error) => showInstead(notices.failure(error, { onRetry: () => start(), inTab: place === 'tab' }));

function showInstead(...notice) {
  results.show([], {});
  byId('results-head').hidden = true;
  byId('more').hidden = true;
  byId('examples').hidden = true;
  byId('warnings').replaceChildren();
  byId('notice').replaceChildren(...notice);
}

function showUnknown() {
  const onChoose = (name) => change({ collection: name });
  if (infos.length > 0) return showInstead(notices.unknownCollection(state.collection, infos, { onChoose }));
  // The panel offers what there is to copy.
  if (place === 'tab') return showInstead();
  if (broken.length > 0) return showFailure(broken[0]);
  return showInstead(notices.emptyDatabase(database.firstSteps(FIRST.collection, FIRST.document, { create: true })));
}

function showExamples(info, isAsking) {
  const examples = (place === 'tab' ? TAB_EXAMPLES : EXAMPLES)[info.name] ?? [];
  const section = byId('examples');
  section.classList.toggle('small', isAsking);
  section.hidden = examples.length === 0;
  byId('examples-count').textContent = `${info.documents.toLocaleString('en')} meanings of WordNet`;
  byId('examples-list').replaceChildren(...examples.map((text) => make('li', {},
    make('button', {
      type: 'button',
      aria: { pressed: String(text === state.text) },
      on: { click: () => change({ text, vector: '', filter: '' }) },
    }, text))));
}

function showCollections() {
  const chooser = byId('chooser');
  byId('damaged').replaceChildren(...notices.damaged(broken));
  chooser.replaceChildren(...infos.map(({ name }) => make('option', { value: name }, name)));
}

/** The collection that is searched, in a line. */
function showFacts(info) {
  if (place === 'tab') panel.show(infos, info);
  drawFacts(info);
}

function drawFacts(info) {
  byId('chooser').value = info?.name ?? '';
  byId('chooser').hidden = !info || infos.length < 2;
  byId('chooser-label').hidden = !info;
  byId('form').classList.toggle('useless', !info);
  byId('facts').replaceChildren();
  byId('about').replaceChildren();
  if (!info) return;
  const name = infos.length === 1 ? [make('b', {}, info.name), ' '] : [];
  byId('facts').replaceChildren(...name, count(info.documents, 'document'));
  byId('about').textContent = [
    info.dim === null ? 'no vectors yet' : `${info.dim} dimensions, ${info.metric} distance`,
    info.language !== null && `text: ${info.language}`,
    info.embedder && `embedder: ${info.embedder}`,
    count(info.segments, 'segment'),
  ].filter(Boolean).join(' \u00b7 ');
}

/** Said once things have come to rest: a slider on its way would never stop talking. */
function say(text) {
  toSpeak = text;
  speakSoon(WAIT.announce);
}

/** Reads the address again: on Back, or when a link to another state of this page is followed. */
function readAddress() {
  state = { ...parseHash(location.hash) };
  const named = placeOf(location.search);
  if (named !== place) return enter(named, { isAddress: true });
  state.collection ??= infos[0]?.name ?? null;
  controls.show(state);
  return search({ replace: true });
}

/** Searches elsewhere from now on. `isAddress`: it is what the address says already. */
function enter(chosen, { isAddress = false, replace = false } = {}) {
  running.abort();
  panel.close();
  database.close();
  place = chosen;
  database = connect(place);
  [infos, broken] = [[], []];
  showInstead();
  if (!isAddress) history[replace ? 'replaceState' : 'pushState'](null, '', addressOf(place, location.hash));
  return start({ isNew: true });
}

/** The collections of the tab are others now; `name` is the one that came and is searched next. */
async function reload(name) {
  if (name) state.collection = name;
  await start({ isNew: true });
  if (name) controls.focus();
}

/** Asks what there is, and then what is asked of it. `isNew`: a collection that is not there is no mistake. */
async function start({ isNew = false, isLoad = false } = {}) {
  const asked = database;
  isOpening = true;
  placeSwitch.show(place);
  codeButton.name(place === 'tab' ? 'JavaScript' : 'curl');
  controls.show(state);
  if (place === 'tab') {
    panel.open(database);
    // Nothing can be asked before it is open, which takes longer than the server's first answer.
    if (infos.length === 0) drawFacts(undefined);
  }
  const busy = setTimeout(() => showBusy(true), WAIT.busy);
  try {
    const found = await asked.collections();
    if (asked === database) ({ collections: infos, unopenable: broken } = found);
  } catch (error) {
    if (asked === database) await startFailed(error, isLoad);
    return;
  } finally {
    clearTimeout(busy);
    if (asked === database) showBusy(false);
  }
  if (asked !== database) return;
  isOpening = false;
  if (isNew && !current()) state.collection = null;
  state.collection ??= infos[0]?.name ?? null;
  showCollections();
  await search({ replace: true });
}

async function startFailed(error, isLoad) {
  // Loaded without the server, it can still search what is in the tab.
  if (isLoad && place === 'server' && error.code === 'unreachable' && isKept()) return enter('tab', { replace: true });
  [infos, broken] = [[], []];
  showCollections();
  // Shown as empty, the panel would offer to copy what may be there already.
  if (place === 'tab') panel.fail();
  drawFacts(undefined);
  return showFailure(error);
}

byId('chooser').addEventListener('change', (event) => {
  change({ collection: event.currentTarget.value, filter: '', vector: '' });
});
byId('more').addEventListener('click', () => {
  Object.assign(state, { k: Math.min(SEARCH.kMax, state.k + SEARCH.k) });
  search({ settled: true });
});
byId('skip').addEventListener('click', (event) => {
  // Followed as a link, it would replace the query in the address.
  event.preventDefault();
  byId('results').focus();
});
addEventListener('popstate', readAddress);
canSearchInTab().then((can) => placeSwitch.offer(can || place === 'tab'));
await start({ isLoad: true });
if (document.activeElement === document.body) controls.focus();
