/** Text for terminals: how wide it is, and what of it fits. One character is taken for one column. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const COLOUR = /(\x1b\[[\d;]*m)/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

/** What somebody else wrote must not move our cursor. */
export function harmless(text: string): string {
  return text.replace(CONTROL, '·');
}

/** Columns that it takes. */
export function widthOf(text: string): number {
  return [...text.replace(COLOUR, '')].length;
}

/** The first so many columns of it, with all its colours, so that none stays on. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let left = Math.max(0, width);
  return text
    .split(COLOUR)
    .map((part, place) => {
      if (place % 2 === 1) return part;
      const kept = [...part].slice(0, left);
      left -= kept.length;
      return kept.join('');
    })
    .join('');
}

/** In lines of at most so many columns, broken between words where there are any. For text without colours. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.flatMap((line) => line.match(new RegExp(`.{1,${Math.max(1, width)}}`, 'gu')) ?? ['']);
}
