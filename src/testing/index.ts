export { createVirtualClock, type RunUntilOptions, type VirtualClock, type VirtualClockOptions } from './clock.js';
export type { NetworkHost } from './host.js';
export type { Cut } from './intake.js';
export { createNetwork, type Network, type NetworkOptions, type Way } from './network.js';
export { createRandom } from './random.js';
