// What stands above the picture, on a canvas of its own: labels, rings around what is marked, arrows with the names of the
// relations that matter now, and the line of a lasso. A few dozen things, drawn anew with each frame.

import { LOOK } from '../compute/defaults.js';
import { type Camera, toScreen } from './camera.js';
import type { Picture } from './picture.js';

/** A ring around a node. */
export interface Ring {
  node: number;
  css: string;
  /** How far outside the disc, in pixels. */
  gap: number;
  dashed?: boolean;
}

/** An edge that is told in words. */
export interface Told {
  source: number;
  target: number;
  text: string;
  css: string;
}

export interface Overlay {
  /** The nodes with a label, and its text. */
  labels: readonly { node: number; text: string; strong: boolean }[];
  rings: readonly Ring[];
  told: readonly Told[];
  /** x and y in the plane. */
  lasso: readonly number[] | null;
  ink: string;
  paper: string;
  accent: string;
}

export const NO_OVERLAY: Overlay = { labels: [], rings: [], told: [], lasso: null, ink: '#000', paper: '#fff', accent: '#000' };

/** Draws it; the context is in pixels of the page. */
export function drawOverlay(context: CanvasRenderingContext2D, camera: Camera, picture: Picture, overlay: Overlay): void {
  context.lineJoin = 'round';
  context.textBaseline = 'middle';
  for (const told of overlay.told) drawTold(context, camera, picture, told, overlay.paper);
  for (const ring of overlay.rings) drawRing(context, camera, picture, ring);
  context.font = '12px system-ui, sans-serif';
  context.textAlign = 'left';
  const taken: Box[] = [];
  for (const { node, text, strong } of overlay.labels) {
    const [x, y] = placeOf(camera, picture, node);
    context.font = `${strong ? '600 ' : ''}12px system-ui, sans-serif`;
    const beside = (picture.radii[node] ?? 0) * camera.disc + 4;
    const { width } = context.measureText(text);
    // To the right, or to the left where it would be cut off there.
    const left = x + beside + width > camera.width && x - beside - width > 0 ? x - beside - width : x + beside;
    const box = { left, right: left + width, top: y - 7, bottom: y + 7 };
    // The first are those that matter most; what would stand on one of them is left out.
    if (taken.some((other) => overlaps(box, other))) continue;
    taken.push(box);
    drawText(context, text, left, y, overlay.ink, overlay.paper);
  }
  if (overlay.lasso) drawLasso(context, camera, overlay.lasso, overlay.accent);
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

const overlaps = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

function placeOf(camera: Camera, { xy }: Picture, node: number): [x: number, y: number] {
  return toScreen(camera, xy[2 * node] ?? 0, xy[2 * node + 1] ?? 0);
}

/** Text with the paper around it. It is of no more than so many characters, whatever a document holds. */
function drawText(context: CanvasRenderingContext2D, text: string, x: number, y: number, ink: string, paper: string): void {
  context.strokeStyle = paper;
  context.lineWidth = 3;
  context.strokeText(text, x, y);
  context.fillStyle = ink;
  context.fillText(text, x, y);
}

/** One line of a label, short, and without what would turn the text around it. */
export function labelText(text: string): string {
  const plain = text.slice(0, 4 * LOOK.labelLength).replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  const letters = [...plain];
  return letters.length > LOOK.labelLength ? `${letters.slice(0, LOOK.labelLength - 1).join('')}…` : plain;
}

function drawRing(context: CanvasRenderingContext2D, camera: Camera, picture: Picture, { node, css, gap, dashed }: Ring): void {
  const [x, y] = placeOf(camera, picture, node);
  context.beginPath();
  context.arc(x, y, (picture.radii[node] ?? 0) * camera.disc + gap, 0, 2 * Math.PI);
  context.strokeStyle = css;
  context.lineWidth = 2;
  context.setLineDash(dashed ? [3, 3] : []);
  context.stroke();
  context.setLineDash([]);
}

function drawTold(context: CanvasRenderingContext2D, camera: Camera, picture: Picture, told: Told, paper: string): void {
  const [sx, sy] = placeOf(camera, picture, told.source);
  const [tx, ty] = placeOf(camera, picture, told.target);
  const length = Math.hypot(tx - sx, ty - sy);
  if (length < 12) return;
  const [wayX, wayY] = [(tx - sx) / length, (ty - sy) / length];
  const tip = (picture.radii[told.target] ?? 0) * camera.disc + 2;
  const [x, y] = [tx - wayX * tip, ty - wayY * tip];
  context.fillStyle = told.css;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - wayX * 9 - wayY * 4, y - wayY * 9 + wayX * 4);
  context.lineTo(x - wayX * 9 + wayY * 4, y - wayY * 9 - wayX * 4);
  context.fill();
  context.font = '11px system-ui, sans-serif';
  context.textAlign = 'center';
  if (context.measureText(told.text).width + 48 > length) return;
  // Nearer to the target: an edge that leads back has its words on its own half.
  drawText(context, told.text, sx + (tx - sx) * 0.68, sy + (ty - sy) * 0.68, told.css, paper);
}

function drawLasso(context: CanvasRenderingContext2D, camera: Camera, lasso: readonly number[], css: string): void {
  context.beginPath();
  for (let at = 0; at < lasso.length; at += 2) {
    const [x, y] = toScreen(camera, lasso[at] as number, lasso[at + 1] as number);
    context[at === 0 ? 'moveTo' : 'lineTo'](x, y);
  }
  context.closePath();
  context.strokeStyle = css;
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 0.1;
  context.fillStyle = css;
  context.fill();
  context.globalAlpha = 1;
}
