// Draws curves of recall and speed as SVG: small, without a library, and readable on a light and on a dark page. Recall
// grows towards the right so that each halving of what is missed takes the same room; speed is logarithmic.

const WIDTH = 720;
const HEIGHT = 440;
const PLOT = { left: 64, right: 700, top: 40, bottom: 388 };
/** Of middling lightness: each has contrast enough on white and on near black. The first curve is ours. */
const COLOURS = ['#d9480f', '#1c7ed6', '#2f9e44', '#9c36b5', '#b08900', '#0c8599', '#868e96'];
const DASHES = ['', '7 4', '2 3', '9 3 2 3', '4 4', '1 4', '12 4'];
const RECALL_MIN = 0.8;
const RECALL_MAX = 0.9995;
const RECALL_TICKS = [0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999];

/** Curves of `[recall, qps]` points as the text of an SVG file. */
export function chart({ title, x, y, curves }) {
  const shown = curves.map((curve) => ({ ...curve, points: visible(curve.points) }));
  const speeds = shown.flatMap(({ points }) => points.map(([, qps]) => qps));
  const range = speeds.length > 0 ? [Math.min(...speeds) / 1.1, Math.max(...speeds) * 1.1] : [1, 10];
  const recalls = shown.flatMap(({ points }) => points.map(([recall]) => recall));
  const best = Math.max(0.99, ...recalls);
  const place = ([recall, qps]) => [across(recall, best), up(qps, range)];
  const parts = [
    ...RECALL_TICKS.filter((recall) => recall <= best).map((recall) => tickX(across(recall, best), `${recall}`)),
    ...ticks(range).map((qps) => tickY(up(qps, range), qps.toLocaleString('en'))),
    text(PLOT.left, 22, title, 'start', ' class="title"'),
    text((PLOT.left + PLOT.right) / 2, HEIGHT - 12, x, 'middle'),
    `<text transform="translate(14 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" text-anchor="middle">${escape(y)}</text>`,
    ...shown.map(({ points }, i) => curve(points.map(place), i)),
    ...shown.map(({ name }, i) => legend(name, i, shown.length)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(title)}">\n${STYLE}\n${parts.join('\n')}\n</svg>\n`;
}

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #343a40 }
.title { font-weight: 600; font-size: 13px }
.grid { stroke: #868e96; stroke-opacity: .35 }
@media (prefers-color-scheme: dark) { text { fill: #ced4da } }
</style>`;

/** Sorted by recall, without what the axis does not reach and without points that find less and take longer. */
function visible(points) {
  const sorted = points.filter(([recall]) => recall >= RECALL_MIN).toSorted(([a], [b]) => a - b);
  return sorted.filter(([, qps], i) => sorted.slice(i + 1).every(([, later]) => later < qps));
}

function across(recall, best) {
  const missed = (r) => -Math.log(1 - Math.min(r, RECALL_MAX));
  const share = (missed(recall) - missed(RECALL_MIN)) / (missed(best) - missed(RECALL_MIN));
  return PLOT.left + share * (PLOT.right - PLOT.left);
}

function up(qps, [least, most]) {
  return PLOT.bottom - (Math.log(qps / least) / Math.log(most / least)) * (PLOT.bottom - PLOT.top);
}

/** 1, 2 and 5 times the powers of ten within a range. */
function ticks([least, most]) {
  const found = [];
  for (let power = 10 ** Math.floor(Math.log10(least)); power <= most; power *= 10) {
    found.push(...[1, 2, 5].map((digit) => digit * power).filter((value) => value >= least && value <= most));
  }
  return found;
}

function tickX(at, label) {
  const line = `<line class="grid" x1="${round(at)}" x2="${round(at)}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>`;
  return `${line}${text(at, PLOT.bottom + 18, label, 'middle')}`;
}

function tickY(at, label) {
  const line = `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${round(at)}" y2="${round(at)}"/>`;
  return `${line}${text(PLOT.left - 6, at + 4, label, 'end')}`;
}

/** A line with its points; told apart by its dashes too, for who sees no colours. */
function curve(places, i) {
  const points = places.map((place) => place.map(round).join(','));
  const colour = COLOURS[i % COLOURS.length];
  const dots = places.map(([x, y]) => `<circle cx="${round(x)}" cy="${round(y)}" r="3" fill="${colour}"/>`).join('');
  return `<polyline points="${points.join(' ')}" ${stroke(i)}/>${dots}`;
}

/** In the corner that curves leave free: what is slow and finds little. */
function legend(name, i, count) {
  const [x, y] = [PLOT.left + 14, PLOT.bottom - 14 - 18 * (count - 1 - i)];
  return `<line x1="${x}" x2="${x + 34}" y1="${y}" y2="${y}" ${stroke(i)}/>${text(x + 42, y + 4, name, 'start')}`;
}

function stroke(i) {
  const dash = DASHES[i % DASHES.length];
  return `fill="none" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="${i === 0 ? 3 : 2}"${dash ? ` stroke-dasharray="${dash}"` : ''}`;
}

function text(x, y, said, anchor, rest = '') {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${rest}>${escape(said)}</text>`;
}

const round = (x) => Math.round(x * 10) / 10;
const escape = (said) => said.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
