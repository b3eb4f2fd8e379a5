// The picture as SVG text: built from numbers, and from text whose every special character is written as an entity.

import type { Camera } from './camera.js';
import { toScreen } from './camera.js';
import type { Picture } from './picture.js';

/** Draws what the camera sees, with these labels. */
export function svgOf(
  picture: Picture,
  camera: Camera,
  labels: readonly { node: number; text: string }[],
  { ink, paper, title }: { ink: string; paper: string; title: string },
): string {
  const { width, height } = camera;
  const size = `width="${Math.round(width)}" height="${Math.round(height)}" viewBox="0 0 ${Math.round(width)} ${Math.round(height)}"`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" fill="${escaped(paper)}"/>`,
    '<g stroke-linecap="round">',
  ];
  const at = (node: number) => toScreen(camera, picture.xy[2 * node] as number, picture.xy[2 * node + 1] as number).map(short);
  for (let edge = 0; edge < picture.edges; edge += 1) {
    const opacity = picture.edgeColours[4 * edge + 3] as number;
    if (opacity === 0) continue;
    const [x1, y1] = at(picture.ends[2 * edge] as number);
    const [x2, y2] = at(picture.ends[2 * edge + 1] as number);
    const look = `stroke="${hex(picture.edgeColours, edge)}" stroke-opacity="${short(opacity / 255)}" stroke-width="${short(picture.widths[edge] as number)}"`;
    parts.push(`<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" ${look}/>`);
  }
  parts.push('</g><g>');
  for (let node = 0; node < picture.nodes; node += 1) {
    const opacity = picture.nodeColours[4 * node + 3] as number;
    if (opacity === 0) continue;
    const [x, y] = at(node);
    parts.push(`<circle cx="${x}" cy="${y}" r="${short((picture.radii[node] as number) * camera.disc)}" fill="${hex(picture.nodeColours, node)}" fill-opacity="${short(opacity / 255)}"/>`);
  }
  parts.push(`</g><g fill="${escaped(ink)}" dominant-baseline="middle">`);
  for (const { node, text } of labels) {
    const [x, y] = at(node);
    parts.push(`<text x="${short((x as number) + (picture.radii[node] as number) * camera.disc + 4)}" y="${y}">${escaped(text)}</text>`);
  }
  parts.push('</g></svg>\n');
  return parts.join('\n');
}

const short = (value: number): number => Math.round(value * 100) / 100;

const hex = (colours: Uint8Array, at: number): string =>
  `#${[0, 1, 2].map((part) => (colours[4 * at + part] as number).toString(16).padStart(2, '0')).join('')}`;

/** Text that is no markup, and nothing that XML does not allow. */
function escaped(text: string): string {
  const allowed = text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
  return allowed.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
