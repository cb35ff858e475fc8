/** A program that dials a thousand times gives the same options a thousand times. */

type Plain = Readonly<Record<string, unknown>>;

/** Nothing in it can change, and nothing of the program's is held by keeping it. */
function isPlain(given: object): given is Plain {
  if (Object.getPrototypeOf(given) !== Object.prototype) return false;
  for (const key in given) {
    const value = (given as Plain)[key];
    if (value !== null && (typeof value === 'object' || typeof value === 'function')) return false;
  }
  return true;
}

function isSame(one: Plain, other: Plain): boolean {
  let more = 0;
  for (const key in one) {
    if (one[key] !== other[key]) return false;
    more += 1;
  }
  for (const _ in other) more -= 1;
  return more === 0;
}

/** `make`, but the same plain options in a row come to the same settings: they are checked once, and kept once. */
export function onceInARow<Given extends object, Settings>(make: (given: Given) => Settings): typeof make {
  let last: { readonly given: Plain; readonly settings: Settings } | undefined;
  return (given) => {
    if (typeof given !== 'object' || given === null) return make(given);
    if (last && Object.getPrototypeOf(given) === Object.prototype && isSame(last.given, given as Plain))
      return last.settings;
    const settings = make(given);
    if (isPlain(given)) last = { given: { ...given }, settings };
    return settings;
  };
}
