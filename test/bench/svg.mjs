// A plot as SVG, with logarithmic axes: a few lines of text, no library. It follows the reader's light or dark page.
const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 70;
const RIGHT = 20;
const TOP = 46;
const BOTTOM = 50;
const COLOURS = ['#2f6fde', '#d9822b'];

const plain = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
const fixed = (value) => value.toFixed(1);

const scale = (values, from, to) => {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const at = (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  return { at, ticks: Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step)) };
};

const tickWords = (value) => (value >= 1e6 ? `${value / 1e6} M` : value >= 1e3 ? `${value / 1e3} k` : `${value}`);

/**
 * @param lines `{ name, points: [{ x, y, least, most }] }`; the spread is drawn as a bar through each point
 */
export function plot({ title, x, y, lines }) {
  const points = lines.flatMap((line) => line.points);
  const across = scale(
    points.map((point) => point.x),
    LEFT,
    WIDTH - RIGHT,
  );
  const up = scale(
    points.flatMap((point) => [point.least, point.most]),
    HEIGHT - BOTTOM,
    TOP,
  );
  const grid = [
    ...across.ticks.map((tick) => {
      const at = fixed(across.at(tick));
      return `<path class="grid" d="M${at} ${TOP}V${HEIGHT - BOTTOM}"/><text x="${at}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${tickWords(tick)}</text>`;
    }),
    ...up.ticks.map((tick) => {
      const at = up.at(tick);
      return `<path class="grid" d="M${LEFT} ${fixed(at)}H${WIDTH - RIGHT}"/><text x="${LEFT - 8}" y="${fixed(at + 4)}" text-anchor="end">${tickWords(tick)}</text>`;
    }),
  ];
  const drawn = lines.map((line, place) => {
    const places = line.points.map((point) => `${fixed(across.at(point.x))} ${fixed(up.at(point.y))}`);
    const spread = line.points.map(
      ({ x: at, least, most }) => `M${fixed(across.at(at))} ${fixed(up.at(least))}V${fixed(up.at(most))}`,
    );
    const dots = places.map((spot) => {
      const [cx, cy] = spot.split(' ');
      return `<circle cx="${cx}" cy="${cy}" r="3"/>`;
    });
    const top = TOP - 14;
    const left = LEFT + place * 160;
    return `<g style="color:${COLOURS[place]}"><path class="line" d="M${places.join('L')}"/><path class="line" d="${spread.join('')}"/>${dots.join('')}<path class="line" d="M${left} ${top}h24"/><text x="${left + 30}" y="${top + 4}">${plain(line.name)}</text></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${plain(title)}">
<style>
text { font: 12px sans-serif; fill: #57606a; }
.grid { stroke: #8884; stroke-width: 1; fill: none; }
.line { stroke: currentColor; stroke-width: 2; fill: none; }
circle { fill: currentColor; }
@media (prefers-color-scheme: dark) { text { fill: #9ea7b3; } }
</style>
<text x="${LEFT}" y="16" font-weight="bold">${plain(title)}</text>
${grid.join('\n')}
${drawn.join('\n')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${plain(x)}</text>
<text transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${plain(y)}</text>
</svg>
`;
}
