// What hands do: drags, wheels, pinches, clicks and keys on an element, as calls in pixels of that element.

export interface Hands {
  /** Pressed at a place: whether what is there is dragged itself (`thing`), or the view, or a line is drawn. */
  grab(x: number, y: number): 'view' | 'thing' | 'line';
  drag(what: 'view' | 'thing' | 'line', x: number, y: number, dx: number, dy: number): void;
  /** The end of a drag that went somewhere. */
  drop(what: 'view' | 'thing' | 'line'): void;
  zoom(factor: number, x: number, y: number): void;
  /** `held` is true with Shift, Ctrl or Cmd. */
  click(x: number, y: number, held: boolean): void;
  doubleClick(x: number, y: number): void;
  hover(x: number, y: number): void;
  leave(): void;
  /** Whether the key meant something. */
  key(name: string, held: boolean): boolean;
}

/** Pixels after which a press is a drag. */
const DRAG_FROM = 4;

/** Listens until the returned function is called. */
export function listen(element: HTMLElement, hands: Hands): () => void {
  const pressed = new Map<number, { x: number; y: number }>();
  let what: 'view' | 'thing' | 'line' | null = null;
  let begun: { x: number; y: number } | null = null;
  let far = false;

  const at = (event: MouseEvent) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const spread = () => {
    const [a, b] = [...pressed.values()];
    return a && b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, length: Math.hypot(a.x - b.x, a.y - b.y) } : null;
  };

  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const place = at(event);
    pressed.set(event.pointerId, place);
    element.setPointerCapture(event.pointerId);
    if (pressed.size === 1) {
      what = hands.grab(place.x, place.y);
      begun = place;
      far = false;
    } else if (what !== 'view') {
      // A second finger means the view, whatever the first one held.
      if (far && what) hands.drop(what);
      what = 'view';
      far = true;
    }
  };
  const move = (event: PointerEvent) => {
    const place = at(event);
    const before = pressed.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== 'touch') hands.hover(place.x, place.y);
      return;
    }
    const pinch = spread();
    pressed.set(event.pointerId, place);
    const after = spread();
    if (pinch && after) {
      hands.drag('view', after.x, after.y, after.x - pinch.x, after.y - pinch.y);
      if (pinch.length > 0) hands.zoom(after.length / pinch.length, after.x, after.y);
      return;
    }
    if (begun && Math.hypot(place.x - begun.x, place.y - begun.y) >= DRAG_FROM) far = true;
    if (far && what) hands.drag(what, place.x, place.y, place.x - before.x, place.y - before.y);
  };
  const up = (event: PointerEvent) => {
    const place = pressed.get(event.pointerId);
    if (!pressed.delete(event.pointerId) || !place || pressed.size > 0) return;
    if (far) {
      if (what) hands.drop(what);
    } else if (event.type === 'pointerup') {
      hands.click(place.x, place.y, event.shiftKey || event.ctrlKey || event.metaKey);
    }
    what = null;
    begun = null;
  };
  const leave = () => hands.leave();
  const twice = (event: MouseEvent) => {
    const place = at(event);
    hands.doubleClick(place.x, place.y);
  };
  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const place = at(event);
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    // A pinch on a touchpad arrives as a wheel with Ctrl, in smaller steps.
    const speed = event.ctrlKey ? 0.01 : 0.0015;
    hands.zoom(Math.exp(-Math.max(-200, Math.min(200, event.deltaY * lines)) * speed), place.x, place.y);
  };
  const key = (event: KeyboardEvent) => {
    if (event.altKey || event.target !== element) return;
    if (hands.key(event.key, event.shiftKey || event.ctrlKey || event.metaKey)) event.preventDefault();
  };

  const listeners = [
    ['pointerdown', down], ['pointermove', move], ['pointerup', up], ['pointercancel', up], ['pointerleave', leave],
    ['dblclick', twice], ['wheel', wheel], ['keydown', key],
  ] as [string, EventListener][];
  for (const [name, listener] of listeners) element.addEventListener(name, listener, { passive: false });
  return () => {
    for (const [name, listener] of listeners) element.removeEventListener(name, listener);
  };
}
