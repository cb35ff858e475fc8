// The pictures of the statecharts: src/inspector/charts.ts, which is shipped, and docs/images. `npm run docs` writes them.
import { layout } from './charts-layout.mjs';

const rows = (list) => list.map((one) => `      ${JSON.stringify(one)},`);

function source(charts) {
  return [
    '/** Where everything lies in the pictures of the statecharts. Written by `npm run docs`: do not edit. */',
    "import type { Chart } from './chart.js';",
    '',
    '// biome-ignore format: a line for each state and each transition',
    "export const charts: Readonly<Record<'connection' | 'peer' | 'server' | 'session', Chart>> = {",
    ...charts.flatMap(({ nodes, edges, ...head }) => [
      `  ${head.id}: {`,
      `    ...${JSON.stringify(head)},`,
      '    nodes: [',
      ...rows(nodes),
      '    ],',
      '    edges: [',
      ...rows(edges),
      '    ],',
      '  },',
    ]),
    '};',
    '',
  ].join('\n');
}

/** The files, by their path: the charts as values, and each as a picture. */
export async function pictures({ connectionMachine, peerMachine, serverMachine, sessionMachine, planOf, svgOf }) {
  const charts = [];
  const machines = [connectionMachine, peerMachine, serverMachine, sessionMachine];
  for (const machine of machines) charts.push(await layout(planOf(machine)));
  return new Map([
    ['src/inspector/charts.ts', source(charts)],
    ...charts.map((chart) => [`docs/images/${chart.id}.svg`, svgOf(chart)]),
  ]);
}
