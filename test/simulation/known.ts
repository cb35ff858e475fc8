/** Bugs that are reported and not mended yet: what would meet them is not drawn, or not looked at. Mended, a line goes from here. */
export const KNOWN = {
  /** Two blocks, one right behind the other, both sides in the blocked process: the second is still taken for silence. */
  blockedTwiceInARow: true,
  /**
   * A FIN of the other side that crosses ours is taken for an answer to it, even where it was sent without our last
   * messages: its process went stale or was disposed. Then `close()` tells of nothing unknown, and they never arrive.
   */
  crossingFinTakenForAnswer: true,
} as const;
