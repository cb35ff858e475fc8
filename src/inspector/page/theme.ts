/** Dark or light: as the system has it, until somebody chooses. */
import { byId, set, write } from './dom.js';

export type Theme = 'system' | 'dark' | 'light';

const ORDER: readonly Theme[] = ['system', 'dark', 'light'];
const KEY = 'ninja-tcp inspector theme';

export class ThemeSwitch {
  private theme: Theme = remembered();

  constructor(private readonly changed: () => void) {
    this.show();
    byId('theme').addEventListener('click', () => this.turn());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.changed());
  }

  turn(): void {
    this.theme = ORDER[(ORDER.indexOf(this.theme) + 1) % ORDER.length] as Theme;
    try {
      localStorage.setItem(KEY, this.theme);
    } catch {
      // A browser that keeps nothing: then it holds for this page.
    }
    this.show();
    this.changed();
  }

  private show(): void {
    set(document.documentElement, 'data-theme', this.theme === 'system' ? undefined : this.theme);
    write(byId('theme'), { system: 'Theme: auto', dark: 'Theme: dark', light: 'Theme: light' }[this.theme]);
  }
}

function remembered(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return ORDER.find((one) => one === kept) ?? 'system';
  } catch {
    return 'system';
  }
}
