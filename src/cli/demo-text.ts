import { createReadStream, existsSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Home } from './arguments.js';

/** So much of a file is read, bytes: more than a demo can send. */
const ENOUGH = 4 * 2 ** 20;
/** Longer lines are cut into pieces of so many characters, so that 200 a second stay a trickle. */
const PIECE = /.{1,4096}/gsu;

export interface Text {
  readonly name: string;
  readonly lines: readonly string[];
}

/** The lines of `file`; without one those of the project's README, or of this program where that is missing. */
export async function readText(file: string | undefined, home: Home): Promise<Text> {
  const readme = fileURLToPath(new URL('README.md', home.folder));
  const path = file ?? (existsSync(readme) ? readme : home.file);
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: ENOUGH - 1 })) chunks.push(chunk as Buffer);
  const lines = Buffer.concat(chunks).toString().split(/\r?\n/);
  // What follows the last line's end is not a line.
  if (lines.at(-1) === '') lines.pop();
  return { name: file ?? basename(path), lines: lines.flatMap((line) => line.match(PIECE) ?? [line]) };
}
