/** The colours of the style sheet, for canvases. */
import type { Tone } from './words.js';

export type Colour = Tone | 'ink' | 'quiet' | 'line' | 'surface' | 'rx' | 'tx' | 'accent';

const cache = new Map<Colour, string>();
const probe = document.createElement('i');
probe.hidden = true;

/** The colour that `--name` has in the present theme. */
export function colour(name: Colour): string {
  let value = cache.get(name);
  if (value === undefined) {
    if (!probe.isConnected) document.body.append(probe);
    probe.style.setProperty('color', `var(--${name})`);
    value = getComputedStyle(probe).color;
    cache.set(name, value);
  }
  return value;
}

/** The theme has changed. */
export function forgetColours(): void {
  cache.clear();
}
