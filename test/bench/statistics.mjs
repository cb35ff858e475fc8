// Rounds, made into what a table shows.
export const sorted = (numbers) => numbers.toSorted((a, b) => a - b);

export function median(numbers) {
  const all = sorted(numbers);
  const middle = Math.floor(all.length / 2);
  return all.length % 2 === 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
}

export const summary = (numbers) => ({
  median: median(numbers),
  least: Math.min(...numbers),
  most: Math.max(...numbers),
  rounds: numbers.length,
});

/** Value `share` of a list that is in order. */
export const percentile = (inOrder, share) => inOrder[Math.min(inOrder.length - 1, Math.floor(inOrder.length * share))];

/** What a round says of two ways: the ratio, or the difference where the aim is one. */
const compared = ({ aim }, ours, other) => (aim?.addAtMost === undefined ? ours / other : ours - other);

/**
 * A row as it came out.
 *
 * @param samples by way, one value for each round; ways took turns, so values of one round belong together
 */
export function judge(row, samples) {
  const ours = samples[row.ours];
  const other = samples[row.other];
  const rounds = Math.min(ours.length, other.length);
  const figures = Array.from({ length: rounds }, (_, round) => compared(row, ours[round], other[round]));
  const figure = summary(figures);
  const { aim } = row;
  const reached =
    aim === undefined
      ? undefined
      : aim.atLeast === undefined
        ? figure.median <= (aim.atMost ?? aim.addAtMost)
        : figure.median >= aim.atLeast;
  return { ...row, figure, reached, values: { ours: summary(ours), other: summary(other) } };
}

/** How much the values grow for each unit of which there are `each` between two: the median of the slopes between all pairs. */
export function slope(values, each) {
  const slopes = [];
  for (let one = 0; one < values.length; one += 1) {
    for (let two = one + 1; two < values.length; two += 1) {
      slopes.push((values[two] - values[one]) / ((two - one) * each));
    }
  }
  return median(slopes);
}
