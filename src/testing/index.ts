export { type Bytes, frame } from './bytes.js';
export { type Chaos, type ChaosFault, type ChaosOptions, createChaos, type DrawnFault } from './chaos.js';
export { createVirtualClock, type RunUntilOptions, type VirtualClock, type VirtualClockOptions } from './clock.js';
export { DumpError, parseDump } from './dump-check.js';
export {
  createFaultProxy,
  type FaultProxy,
  type FaultProxyLinkOptions,
  type FaultProxyOptions,
  type ProxyWayName,
} from './fault-proxy.js';
export type { NetworkHost } from './host.js';
export type { Cut } from './intake.js';
export { createNetwork, type Network, type NetworkOptions, type Way } from './network.js';
export type { ConnectionPlace, PathOrder } from './path-moves.js';
export type {
  ConnectionPath,
  ConnectionPaths,
  ConnectionPathsOptions,
  PathApp,
  PathCheck,
  PathPlaceName,
  PathVisit,
} from './path-types.js';
export type { PathServer, PathWorld } from './path-world.js';
export { connectionPaths } from './paths.js';
export type { PeerOrder, PeerPlace } from './peer-path-move.js';
export type { PeerWorld } from './peer-path-stage.js';
export type {
  PeerApp,
  PeerCheck,
  PeerPath,
  PeerPaths,
  PeerPathsOptions,
  PeerPlaceName,
  PeerVisit,
} from './peer-path-types.js';
export { peerPaths } from './peer-paths.js';
export { createRandom } from './random.js';
export { type Replay, type ReplayOptions, type ReplayStep, replay } from './replay.js';
export type { ReplayDifference } from './replay-compare.js';
export {
  createScript,
  type ExpectOptions,
  type Script,
  type ScriptOptions,
  type ScriptSendOptions,
} from './script.js';
export { ScriptError } from './script-error.js';
export type { ScriptConnection } from './script-line.js';
export type { ScriptDialOptions, ScriptListenOptions, ScriptResult, ScriptRun } from './script-run.js';
