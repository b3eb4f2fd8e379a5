// The list of results. A document keeps its card from one answer to the next, so that what a reader opened stays
// open and a change of order can be seen as one.

import { make, prefersStillness } from './dom.js';
import { count, describe, markMatches, score } from './present.js';
import { CARD, MOTION } from './settings.js';
import { demands, equals } from './filters.js';
import { figures, makeBar, sentence } from './why.js';

/** Draws into `list`; a click on a fact calls `onFact` with the part of a filter that demands it. */
export function makeResults(list, { onFact }) {
  let cards = new Map();
  list.addEventListener('keydown', walk);
  return {
    /** `context`: the query as `{asked, alpha, filter}` and the collection's info. */
    show(hits, context) {
      const before = places(cards);
      const scale = Math.max(1, ...hits.map((hit) => hit.score));
      const kept = new Map();
      for (const [i, hit] of hits.entries()) {
        const old = cards.get(hit.id);
        const isSame = old?.shape === shapeOf(hit, context);
        const card = isSame ? old : makeCard(hit, context, onFact);
        card.update(hit, i + 1, scale, context);
        kept.set(hit.id, card);
      }
      cards = kept;
      arrange(list, [...cards.values()].map((card) => card.element));
      move(cards, before);
    },
    /** Results of an earlier query lose their colour. */
    dim: (isOld) => list.classList.toggle('old', isOld),
    focusFirst: () => list.querySelector('summary')?.focus(),
  };
}

const shapeOf = (hit, { info }) => `${info.name}\n${JSON.stringify(hit.metadata)}`;

function makeCard(hit, context, onFact) {
  const { title, others, text, chips, isIdTitle } = describe(hit, context.info.fields);
  const rank = make('span', { className: 'rank', aria: { hidden: 'true' } });
  const bar = makeBar();
  const value = make('span', { className: 'score' });
  const gloss = text && make('p', { className: 'text' });
  const facts = chips.map(({ field, value: fact }) => makeFact(field, fact, onFact));
  const line = make('span', { className: 'sides' });
  const inside = make('div', { className: 'figures' });
  let draw;
  const details = make('details', { on: { toggle: () => details.open && draw?.() } },
    make('summary', {}, line, make('span', { className: 'more' }, 'Why?')), inside);
  const element = make('li', { className: 'card', data: { id: hit.id } },
    make('div', { className: 'card-head' },
      make('h2', {}, rank, make('span', { className: isIdTitle ? 'title id' : 'title' }, title),
        others.length > 0 && make('span', { className: 'others' }, ` ${others.join(', ')}`)),
      make('div', { className: 'worth' }, bar.element, value)),
    gloss,
    make('div', { className: 'facts' }, facts.map((fact) => fact.element),
      !isIdTitle && make('span', { className: 'id' }, hit.id)),
    details);
  const update = (now, place, scale, { asked, alpha, filter, info }) => {
    const isRanked = asked.vector || asked.words;
    rank.textContent = `${place}`;
    element.classList.toggle('unranked', !isRanked);
    details.hidden = !isRanked;
    value.textContent = score(now.score);
    bar.update(now, scale);
    if (gloss) paint(gloss, text, now);
    for (const fact of facts) fact.update(filter);
    line.replaceChildren(...sentence(now, asked));
    draw = () => inside.replaceChildren(...figures(now, asked, { metric: info.metric, alpha }).filter(Boolean));
    // Tables nobody looks at are not drawn while the slider moves.
    if (details.open) draw();
  };
  return { element, update, shape: shapeOf(hit, context) };
}

/** The text, with the words that matched in its field. */
function paint(element, { field, value }, { explanation }) {
  const stems = (explanation?.words?.terms ?? []).filter((term) => term.field === field).map((term) => term.term);
  const shown = value.length > CARD.textLength ? `${value.slice(0, CARD.textLength)}\u2026` : value;
  const pieces = markMatches(shown, [...new Set(stems)]);
  element.replaceChildren(...pieces.map(({ text, isMatch }) => (isMatch ? make('mark', {}, text) : text)));
}

function makeFact(field, value, onFact) {
  const part = equals(field, value);
  const element = make('button', { type: 'button', className: 'fact', on: { click: () => onFact(part) } },
    make('span', { className: 'fact-field' }, field.replaceAll('_', ' ')), ` ${value}`);
  const update = (filter) => {
    const isOn = demands(filter, part);
    element.setAttribute('aria-pressed', String(isOn));
    element.title = isOn ? `Stop filtering by ${part}` : `Only ${part}`;
  };
  return { element, update };
}

/** Puts elements in order by moving as few as possible: one that is moved loses its focus and scroll. */
function arrange(list, elements) {
  const wanted = new Set(elements);
  const focused = document.activeElement;
  for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
  elements.forEach((element, i) => {
    if (list.children[i] !== element) list.insertBefore(element, list.children[i] ?? null);
  });
  if (focused !== document.activeElement && list.contains(focused)) focused.focus({ preventScroll: true });
}

/** Where the cards are seen, which a card on its way is not where it belongs. */
const places = (cards) => new Map([...cards].map(([id, { element }]) => [id, top(element)]));
const top = (element) => element.getBoundingClientRect().top + scrollY;

/** Lets cards glide from where they were; new ones appear. */
function move(cards, before) {
  if (prefersStillness()) return;
  const { easing } = MOTION;
  for (const { element } of cards.values()) for (const running of element.getAnimations()) running.cancel();
  for (const [id, { element }] of cards) {
    if (!before.has(id)) {
      element.animate([{ opacity: 0 }, { opacity: 1 }], { duration: MOTION.appear, easing });
      continue;
    }
    const way = before.get(id) - top(element);
    // Less than a pixel is rounding.
    if (Math.abs(way) < 1) continue;
    const frames = [{ transform: `translateY(${way}px)` }, { transform: 'none' }];
    element.animate(frames, { duration: MOTION.move, easing });
  }
}

/** Arrow keys walk from result to result. */
function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.target.tagName !== 'SUMMARY') return;
  const all = [...event.currentTarget.querySelectorAll('summary')];
  const next = all[all.indexOf(event.target) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

/** What a reader who cannot see the list is told. */
export function spoken(hits) {
  if (hits.length === 0) return 'No results.';
  const { title } = describe(hits[0]);
  return `${count(hits.length, 'result')}, the first is ${title}.`;
}
