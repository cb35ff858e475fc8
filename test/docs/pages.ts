/** The pages of the documentation, and what is in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { root } from './programs.js';

export interface Block {
  /** `README.md:42` */
  readonly name: string;
  readonly tag: string;
  readonly code: string;
  /** Why it is not run, where it says so. */
  readonly notRun: string | undefined;
}

export const read = (path: string): string => readFileSync(root + path, 'utf8');

const listed = (folder: string, ending: string): string[] =>
  readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith(ending))
    .sort();

export const pages = ['README.md', ...listed('docs', '.md')];
export const examples = listed('docs/examples', '.ts').map((path) => path.replace('docs/examples/', ''));

/** The fenced blocks of a page. */
export function blocksOf(page: string): Block[] {
  const text = read(page);
  return [...text.matchAll(/(?:<!-- not run: (.+?) -->\n+)?^```(\w*)\n([\s\S]*?)^```$/gm)].map((match) => {
    const [whole, notRun, tag = '', code = ''] = match;
    const line = text.slice(0, (match.index ?? 0) + whole.indexOf('```')).split('\n').length;
    return { name: `${page}:${line}`, tag, code, notRun };
  });
}

/** What a heading is called in a link. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

/** A page without its code. */
export const prose = (page: string): string => read(page).replace(/^```[\s\S]*?^```$/gm, '');

export const headingsOf = (page: string): string[] =>
  [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading as string);

/** What stands between backticks in the text of a page. */
export const inlineCodeOf = (page: string): string[] =>
  [...prose(page).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code as string);

/** The links of a page that stay in this repository. */
export const linksOf = (page: string): string[] =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target as string)
    .filter((target) => !/^[a-z]+:/.test(target));

const FRAGMENT = `import { connect, lengthPrefixed, listen, NinjaTcpError } from 'ninja-tcp';
const server = await listen({ host: '127.0.0.1', port: 0 }, async (peer) => {
  for await (const message of peer) peer.send(message);
});
const connection = connect({ host: '127.0.0.1', port: server.address()?.port ?? 0 });
void [lengthPrefixed, NinjaTcpError, connection];
{
`;

/** A block as a program: one that imports nothing is a fragment, and is given an echo server and a \`connection\`. */
export const programOf = ({ code }: Block): string =>
  /^import /m.test(code) ? code : `${FRAGMENT}${code}}\nprocess.exit();\n`;
