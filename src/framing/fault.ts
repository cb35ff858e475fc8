import { messageOf, NinjaTcpError } from '../errors.js';

/** What a framing threw, as an error of ours: a program's own framing may throw anything. */
export function framingFault(error: unknown): NinjaTcpError {
  if (error instanceof NinjaTcpError) return error;
  return new NinjaTcpError('NINJA_FRAME_INVALID', `the framing threw: ${messageOf(error)}`, error);
}
