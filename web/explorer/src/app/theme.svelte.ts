// Light, dark, or as the system says; kept in this browser.

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'kithdb.theme';
const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

class ThemeChoice {
  #chosen = $state<Theme>(read());

  constructor() {
    this.#apply();
  }

  get chosen(): Theme {
    return this.#chosen;
  }

  set(theme: Theme): void {
    this.#chosen = theme;
    this.#apply();
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // It holds as long as the page.
    }
  }

  turn(): void {
    this.set(NEXT[this.#chosen]);
  }

  #apply(): void {
    document.documentElement.dataset['theme'] = this.#chosen;
    dispatchEvent(new CustomEvent('kithdb:theme'));
  }
}

function read(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  } catch {
    return 'system';
  }
}

export const theme = new ThemeChoice();

/** Whether the reader asked for less motion; asked each time, because the answer changes while a page is open. */
export const prefersStillness = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Calls back when colours change: by the button, or by the system. Answers what ends that. */
export function onColours(changed: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', changed);
  addEventListener('kithdb:theme', changed);
  return () => {
    system.removeEventListener('change', changed);
    removeEventListener('kithdb:theme', changed);
  };
}

/** A colour of app.css by its name, such as `--vector`, as `rgb(...)`: for what draws on a canvas. */
export function colourOf(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
