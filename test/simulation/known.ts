/** Bugs that are reported and not mended yet: what would meet them is not drawn, or not looked at. Mended, a line goes from here. */
export const KNOWN = {
  /** Two blocks, one right behind the other, both sides in the blocked process: the second is still taken for silence. */
  blockedTwiceInARow: true,
} as const;
