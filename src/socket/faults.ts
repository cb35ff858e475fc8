/** What a socket finds out by itself, as errors with their words. */
import { NinjaTcpError } from '../errors.js';

/** @param progress how far the frame had come */
export const truncated = (progress: string): NinjaTcpError =>
  new NinjaTcpError('NINJA_TRUNCATED', `the other side closed in the middle of a frame: ${progress} had come`);

/** @param progress how far the frame had come */
export const frameTimedOut = (frameTimeout: number, progress: string): NinjaTcpError =>
  new NinjaTcpError(
    'NINJA_FRAME_TIMEOUT',
    `a frame was not finished within frameTimeout, ${frameTimeout} ms: ${progress} had come`,
  );

/** @param pending bytes */
export const stalled = (writeStallTimeout: number, pending: number): NinjaTcpError =>
  new NinjaTcpError(
    'NINJA_WRITE_STALL',
    `nothing was taken for writeStallTimeout, ${writeStallTimeout} ms: ${pending} bytes are pending`,
  );
