import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, describe, expect, it, test, vi } from 'vitest';
import { type AnyStateMachine, createActor, createMachine, SimulatedClock } from 'xstate';
import { connectionMachine, peerMachine, serverMachine, sessionMachine } from '../../machines/index.js';
import { type Home, read, UsageError } from '../../src/cli/arguments.js';
import { exportCommand } from '../../src/cli/export.js';
import { planOf } from '../../src/inspector/chart-plan.js';
import { read as readFile } from '../docs/pages.js';

const machines: [string, AnyStateMachine][] = [
  ['connection', connectionMachine],
  ['peer', peerMachine],
  ['server', serverMachine],
  ['session', sessionMachine],
];

/** What the command prints. */
async function print(...args: string[]): Promise<string> {
  const printed: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  try {
    expect(await exportCommand.run(read(args, exportCommand), {} as Home)).toBe(0);
  } finally {
    write.mockRestore();
  }
  return printed.join('');
}

// Beside node_modules/xstate, which the printed modules import.
const folder = fileURLToPath(new URL('../../node_modules/.cache/ninja-tcp/export-test/', import.meta.url));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a printed module, as it stands. */
async function load(name: string, text: string): Promise<AnyStateMachine> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}${name}.mjs`, text);
  const module = await import(/* @vite-ignore */ pathToFileURL(`${folder}${name}.mjs`).href);
  return module.machine;
}

describe.each(machines)('ninja-tcp export %s', (name, machine) => {
  it('prints a module for Stately: the same plan, with every name in it', async () => {
    const printed = await load(name, await print(name));
    expect(planOf(printed)).toEqual(planOf(machine));
    for (const kind of ['actions', 'guards', 'delays', 'actors'] as const) {
      expect(Object.keys(printed.implementations[kind])).toEqual(Object.keys(machine.implementations[kind]));
    }
  });

  it('prints JSON that createMachine takes', async () => {
    expect(planOf(createMachine(JSON.parse(await print('--format', 'json', name))))).toEqual(planOf(machine));
  });

  it('prints Mermaid: every state, and every brace closed', async () => {
    const text = await print('--format=mermaid', name);
    expect(text.split('\n')[0]).toBe('stateDiagram-v2');
    // A region of a parallel state has no name there: its insides are separated by `--`.
    const regions = ['line', 'watch'];
    for (const node of planOf(machine).nodes.filter(({ type, label }) => type !== 'any' && !regions.includes(label))) {
      expect(text).toMatch(new RegExp(`\\b${node.id.replaceAll('.', '_')}\\b`));
    }
    expect(text.match(/\{$/gm)?.length).toBe(text.match(/^ *\}$/gm)?.length);
    for (const line of text.trim().split('\n').slice(1)) {
      expect(line).toMatch(/^ +(\S+ --> \S+( : .+)?|state \w+ \{|state "\w+" as \w+|--|\})$/);
    }
  });

  it('prints the picture of the documentation', async () => {
    expect(await print('--format', 'svg', name)).toBe(readFile(`docs/images/${name}.svg`));
  });
});

describe('ninja-tcp export', () => {
  it('means a connection, for Stately', async () => {
    expect(await print()).toBe(await print('connection', '--format', 'stately'));
  });

  test('what it prints for Stately lives as a connection does, on its delays', async () => {
    const clock = new SimulatedClock();
    const actor = createActor(await load('life', await print()), { clock }).start();
    const at = () => JSON.stringify(actor.getSnapshot().value).replaceAll('"', '');
    const life = ['connect', 'socket.opened', 'socket.heard'].map((type) => {
      actor.send({ type });
      return at();
    });
    expect(life).toEqual([
      '{connecting:dialing}',
      '{connected:{line:unproven,watch:listening}}',
      '{connected:{line:live,watch:listening}}',
    ]);
    // Somebody is always heard in time there.
    clock.increment(3000);
    expect(at()).toBe('{connected:{line:live,watch:listening}}');
    actor.send({ type: 'socket.closed' });
    expect(at()).toBe('{disconnected:waiting}');
    clock.increment(150);
    expect(at()).toBe('{connecting:dialing}');
    clock.increment(5000);
    expect(at()).toBe('{disconnected:waiting}');
  });

  test.each([
    [['door'], "there is no statechart 'door': connection, peer, server, session."],
    [['toString'], "there is no statechart 'toString': connection, peer, server, session."],
    [['--format', 'png'], "--format must be one of stately, json, mermaid, svg, got 'png'."],
    [['--format', 'constructor'], "--format must be one of stately, json, mermaid, svg, got 'constructor'."],
  ])('refuses %j', async (args, sentence) => {
    await expect(print(...args)).rejects.toThrow(new UsageError(sentence));
  });
});

describe('the files of machines/ in Stately Studio', () => {
  /** What a plan in source text may be made of, for a tool that reads it without running it. */
  const isPlain = (node: ts.Expression): boolean => {
    if (ts.isObjectLiteralExpression(node)) {
      return node.properties.every(
        (one) => ts.isPropertyAssignment(one) && (nameOf(one) === 'context' || isPlain(one.initializer)),
      );
    }
    if (ts.isArrayLiteralExpression(node)) return node.elements.every(isPlain);
    return ts.isStringLiteral(node) || ts.isNumericLiteral(node) || node.kind === ts.SyntaxKind.TrueKeyword;
  };
  const nameOf = ({ name }: ts.PropertyAssignment) => (ts.isComputedPropertyName(name) ? '' : name.text);

  test.each(machines)('%s.machine.ts has one createMachine() with the whole plan in it, as it stands', (name) => {
    const source = ts.createSourceFile(
      'plan.ts',
      readFile(`machines/${name}.machine.ts`),
      ts.ScriptTarget.Latest,
      true,
    );
    const plans: ts.Expression[] = [];
    const visit = (node: ts.Node): void => {
      const made = ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression);
      if (made && node.expression.name.text === 'createMachine') plans.push(...node.arguments);
      ts.forEachChild(node, visit);
    };
    visit(source);
    expect(plans.map(isPlain)).toEqual([true]);
  });
});
