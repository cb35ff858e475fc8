// Lays statecharts out: where each state lies, and how each arrow runs. elkjs does it, which is not shipped.
import Elk from 'elkjs/lib/elk.bundled.js';

// All lengths are pixels. They are those of src/inspector/chart-svg.ts.
const NAME = { size: 14, height: 26 };
const WORDS = { size: 11.5, height: 15, column: 230 };
const LABEL = { size: 12, height: 16 };
const SIDE = 12;

const NARROW = /[ijlftrI.,:;'|![\]() ]/;
const WIDE = /[mwMW@]/;

/** How wide a text may be: fonts differ, so rather too much than too little. */
const widthOf = (text, { size }) =>
  Math.ceil([...text].reduce((sum, one) => sum + (NARROW.test(one) ? 0.4 : WIDE.test(one) ? 0.95 : 0.62), 0) * size);

const labelWidth = ({ label }) => widthOf(label, LABEL) + 10;

/** Breaks at blanks. */
function wrap(text) {
  const lines = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`.trim();
    if (lines.length > 0 && widthOf(longer, WORDS) <= WORDS.column) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.edgeCoords': 'ROOT',
  'elk.json.shapeCoords': 'ROOT',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.padding': '[top=18,left=18,bottom=12,right=18]',
  'elk.spacing.nodeNode': '24',
  'elk.spacing.edgeNode': '16',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '20',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
  // From top to bottom in the order of the plan; the ways back run beside it.
  'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  // Chance that is always the same: this seed gives few crossings and a small picture.
  'elk.randomSeed': '2',
};

/** Transitions between the same two states share one way. */
function waysOf(plan) {
  const ways = new Map();
  for (const edge of plan.edges.filter(({ moves }) => moves)) {
    const key = wayKey(edge);
    ways.set(key, [...(ways.get(key) ?? []), edge]);
  }
  return ways;
}

const wayKey = ({ source, target }) => `${source} → ${target}`;

function graphOf(plan, texts) {
  const build = (node) => {
    const { width, height } = texts.get(node.id);
    const children = plan.nodes.filter(({ parent }) => parent === node.id);
    if (children.length === 0) return { id: node.id, width, height };
    const padding = `[top=${height + 14},left=18,bottom=18,right=18]`;
    return { id: node.id, layoutOptions: { 'elk.padding': padding }, children: children.map(build) };
  };
  return {
    id: plan.id,
    layoutOptions: OPTIONS,
    children: plan.nodes.filter(({ parent }) => parent === undefined).map(build),
    edges: [...waysOf(plan)].map(([id, edges]) => ({
      id,
      sources: [edges[0].source],
      targets: [edges[0].target],
      labels: [
        {
          text: id,
          width: Math.max(...edges.map(labelWidth)),
          height: LABEL.height * edges.length,
          layoutOptions: { 'elk.edgeLabels.inline': 'true', 'elk.edgeLabels.placement': 'CENTER' },
        },
      ],
    })),
  };
}

/** What stands in each box: its name, its description, and the transitions that stay in it. */
function textsOf(plan) {
  return new Map(
    plan.nodes.map((node) => {
      const lines = wrap(node.description);
      const staying = plan.edges.filter(({ moves, source }) => !moves && source === node.id);
      const width = Math.max(
        widthOf(node.label, NAME),
        ...lines.map((line) => widthOf(line, WORDS)),
        ...staying.map(labelWidth),
      );
      const below = NAME.height + lines.length * WORDS.height + (staying.length > 0 ? 3 : 0);
      const height = below + staying.length * LABEL.height + 8;
      return [node.id, { lines, staying, below, width: width + 2 * SIDE, height }];
    }),
  );
}

const { round } = Math;

/** From a plan (src/inspector/chart-plan.ts) to a chart (src/inspector/chart.ts). */
export async function layout(plan) {
  const texts = textsOf(plan);
  const laid = await new Elk().layout(graphOf(plan, texts));
  const boxes = new Map();
  const collect = (box) => {
    boxes.set(box.id, box);
    box.children?.forEach(collect);
  };
  laid.children.forEach(collect);
  const nodes = plan.nodes.map((node) => {
    const { x, y, width, height } = boxes.get(node.id);
    return { ...node, lines: texts.get(node.id).lines, x: round(x), y: round(y), w: round(width), h: round(height) };
  });

  const sharing = waysOf(plan);
  const ways = new Map(laid.edges.map((edge) => [edge.id, edge]));
  const edges = plan.edges.map(({ moves, ...edge }) => {
    const lw = labelWidth(edge);
    if (!moves) {
      const { x, y } = nodes.find(({ id }) => id === edge.source);
      const { staying, below } = texts.get(edge.source);
      const row = staying.findIndex(({ id }) => id === edge.id);
      return { ...edge, points: [], lx: x + SIDE - 5 + round(lw / 2), ly: y + below + LABEL.height * (row + 0.5), lw };
    }
    const { labels, sections } = ways.get(wayKey(edge));
    const { startPoint, bendPoints = [], endPoint } = sections[0];
    const row = sharing.get(wayKey(edge)).findIndex(({ id }) => id === edge.id);
    return {
      ...edge,
      points: [startPoint, ...bendPoints, endPoint].map(({ x, y }) => [round(x), round(y)]),
      lx: round(labels[0].x + labels[0].width / 2),
      ly: round(labels[0].y + LABEL.height * (row + 0.5)),
      lw,
    };
  });
  return {
    id: plan.id,
    description: plan.description,
    width: round(laid.width),
    height: round(laid.height),
    nodes,
    edges,
  };
}
