import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where this code lies: CommonJS knows its folder, a module its address. */
const here = typeof __dirname === 'string' ? __dirname : dirname(fileURLToPath(import.meta.url));
/** The folder of the page's files; what is shared by several doors is built into the folder above. */
const folder = basename(here) === 'inspector' ? here : join(here, 'inspector');

const types = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
} as const;

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Reads a file of the page. */
export type ReadPage = (name: keyof typeof types) => PageFile;

/** @throws Error where the page is not beside the library */
export const readPage: ReadPage = (name) => {
  try {
    return { type: types[name], bytes: readFileSync(join(folder, name)) };
  } catch (cause) {
    const why = 'Was the library bundled, or not built? All but the page works.';
    throw new Error(`${name} is not beside the library, in ${folder}. ${why}`, { cause });
  }
};

/** The version of this library; empty where its package.json is not there, as in a bundle. */
export function version(): string {
  try {
    const text = readFileSync(join(folder, '../../package.json'), 'utf8');
    const { name, version } = JSON.parse(text) as { readonly name?: string; readonly version?: string };
    return name === 'ninja-tcp' && version !== undefined ? version : '';
  } catch {
    return '';
  }
}
