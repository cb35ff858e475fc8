#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messageOf, NinjaTcpError } from '../errors.js';
import { type Command, read, UsageError } from './arguments.js';
import { connectCommand } from './connect.js';
import { demoCommand } from './demo.js';
import { echoCommand } from './echo.js';
import { exportCommand } from './export.js';
import { helpOf, helpOfAll, usageOf, usageOfAll } from './help.js';
import { inspectCommand } from './inspect.js';
import { replayCommand } from './replay.js';
import { watchCommand } from './watch.js';

const commands: readonly Command[] = [
  echoCommand,
  connectCommand,
  demoCommand,
  inspectCommand,
  watchCommand,
  exportCommand,
  replayCommand,
];
/** Built, this file is dist/cli/main.js. */
const home = { file: fileURLToPath(import.meta.url), folder: new URL('../../', import.meta.url) };

function version(): string {
  return (JSON.parse(readFileSync(new URL('package.json', home.folder), 'utf8')) as { version: string }).version;
}

function refuse(sentence: string, usage: string): number {
  process.stderr.write(`ninja-tcp: ${sentence}\nUsage: ${usage}\n`);
  return 2;
}

async function main([name, ...rest]: readonly string[]): Promise<number> {
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h') {
    process.stdout.write(helpOfAll(commands));
    return 0;
  }
  if (name === undefined) return refuse('a command is missing.', usageOfAll(commands));
  const command = commands.find((one) => one.name === name);
  if (!command) {
    return refuse(`there is no ${name.startsWith('-') ? 'option' : 'command'} '${name}'.`, usageOfAll(commands));
  }
  try {
    const given = read(rest, command);
    if (!given.flags.has('help')) return await command.run(given, home);
    process.stdout.write(helpOf(command));
    return 0;
  } catch (error) {
    // An option that only the library can judge is named by it as well.
    const wrongCall =
      error instanceof UsageError || (error instanceof NinjaTcpError && error.code === 'NINJA_INVALID_OPTION');
    if (wrongCall) return refuse(messageOf(error), usageOf(command));
    throw error;
  }
}

// Nobody reads what we say: that is no reason to die in the middle of something.
process.stderr.on('error', () => {});
process.stdout.on('error', () => {});

const code = await main(process.argv.slice(2));
// A pipe takes its time; what was printed has to be out before the end, whatever still keeps the process alive.
await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
process.exit(code);
