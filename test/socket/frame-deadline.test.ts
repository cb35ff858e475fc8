import { describe, expect, test } from 'vitest';
import { FrameDeadline } from '../../src/socket/frame-deadline.js';

const NEVER = Number.POSITIVE_INFINITY;

// The monotonic clock's origin means nothing.
describe.each([1, 0, -5000, 1e9])('the deadline of a frame, from %d', (origin) => {
  const due = (frame: FrameDeadline) => frame.dueAt - origin;

  test('runs from its first byte, and is absolute: more of the same frame does not move it', () => {
    const frame = new FrameDeadline(1000);
    expect(frame.dueAt).toBe(NEVER);
    expect(frame.note(true, 0, origin)).toBe(true);
    expect(due(frame)).toBe(1000);
    expect(frame.note(true, 0, origin + 900)).toBe(false);
    expect(due(frame)).toBe(1000);
  });

  test('ends with the frame', () => {
    const frame = new FrameDeadline(1000);
    frame.note(true, 0, origin);
    expect(frame.note(false, 1, origin + 10)).toBe(false);
    expect(frame.dueAt).toBe(NEVER);
  });

  test('a chunk that ends one frame and begins another begins another deadline', () => {
    const frame = new FrameDeadline(1000);
    frame.note(true, 0, origin);
    expect(frame.note(true, 1, origin + 900)).toBe(true);
    expect(due(frame)).toBe(1900);
  });

  test('is frozen while we do not read, once', () => {
    const frame = new FrameDeadline(1000);
    frame.note(true, 0, origin);
    frame.freeze(origin + 400);
    frame.freeze(origin + 500);
    expect(frame.dueAt).toBe(NEVER);
    frame.thaw(origin + 10_400);
    expect(due(frame)).toBe(11_000);
    frame.thaw(origin + 20_000);
    expect(due(frame)).toBe(11_000);
  });

  test('freezing without a frame grants the next one nothing', () => {
    const frame = new FrameDeadline(1000);
    frame.freeze(origin);
    frame.thaw(origin + 500);
    frame.note(true, 0, origin + 600);
    expect(due(frame)).toBe(1600);
  });

  test('leaves out what we were away', () => {
    const frame = new FrameDeadline(30_000);
    frame.excuse(500, origin);
    expect(frame.dueAt).toBe(NEVER);
    frame.note(true, 0, origin);
    frame.excuse(1500, origin + 5000);
    expect(due(frame)).toBe(31_500);
  });

  test('of a frame that was begun while we do not read counts from the resumption', () => {
    const frame = new FrameDeadline(1000);
    frame.freeze(origin);
    frame.note(true, 0, origin + 300);
    frame.thaw(origin + 800);
    expect(due(frame)).toBe(1800);
  });

  test('0 is for never', () => {
    const frame = new FrameDeadline(0);
    expect(frame.note(true, 0, origin)).toBe(false);
    expect(frame.dueAt).toBe(NEVER);
  });
});
