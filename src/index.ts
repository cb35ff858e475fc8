/** ninja-tcp: TCP connections that hand over whole messages, heal themselves, and can say what state they are in. */
export type { AddressMatcher } from './addresses.js';
export type { Backoff } from './backoff.js';
export {
  type ConnectedOptions,
  type Connection,
  type ConnectionEvents,
  type ConnectionState,
  connect,
  type Disconnected,
  type Disposed,
} from './connection.js';
export type { IterateOptions, ReadOptions } from './delivery/inbox.js';
export type { Loss } from './delivery/ledger.js';
export type { Dropped, Range } from './delivery/outbox.js';
export type {
  ConnectAttempt,
  Diagnosed,
  DiagnosticChannels,
  DiagnosticSource,
  DiagnosticTracingChannels,
  LifeOver,
  MessagePassed,
  StaleLine,
  StateChange,
} from './diagnostics.js';
export type {
  Acceptor,
  AcceptorHandlers,
  BoundAddress,
  ClientTls,
  Clock,
  DialTarget,
  Environment,
  ListenTarget,
  LookupFunction,
  ServerTls,
  Timer,
  TlsFacts,
  Transport,
  TransportAddress,
  TransportHandlers,
} from './environment.js';
export { type ErrorCode, NinjaTcpError, type Outcome, type Reason } from './errors.js';
export type { Decoder, DecoderLimits, Framing } from './framing/framing.js';
export { type LengthPrefixedOptions, lengthPrefixed } from './framing/length-prefixed.js';
export type { Inspector, InspectorFunction, InspectorObserver } from './inspection.js';
export type { Delivered } from './line/delivering.js';
export type { FaceEvents, Resumed, Warning } from './line/events.js';
export type { DeliverOptions, SendOptions, WaitOptions } from './line/face.js';
export type { Transition } from './line/history.js';
export type { ManualMessage, SessionLost } from './line/session-host.js';
export type { SessionView } from './line/session-view.js';
export type { ConnectionStatus, PeerStatus, ServerStatus } from './line/status.js';
export type { StatusOptions, Subscription } from './line/status-feed.js';
export type { Traffic } from './meter.js';
export type {
  AcknowledgeMode,
  Authenticate,
  ClientSessionOptions,
  ConnectOptions,
  Credentials,
  Endpoint,
  FlightRecorderOptions,
  Greeter,
  ListenOptions,
  OnConnect,
  ServerSessionOptions,
  SessionApplicant,
} from './options.js';
export type { Peer, PeerDisposed, PeerEvents, PeerHandler, PeerState } from './peer.js';
export type {
  FlightAnswers,
  FlightChart,
  FlightCount,
  FlightDump,
  FlightEntered,
  FlightEvent,
  FlightFallen,
  FlightMessage,
  FlightRecorder,
  FlightSession,
  FlightStart,
  FlightStep,
  FlightTimer,
  FlightTraffic,
  Plain,
} from './recorder/dump.js';
export { listen, type Server, type ServerEvents, type ServerState } from './server.js';
export { type MemoryStoreOptions, memoryStore } from './sessions/memory-store.js';
export type {
  ConnectionSnapshot,
  ErrorWords,
  Fill,
  LineSnapshot,
  NextEvent,
  PeerSnapshot,
  ServerSnapshot,
  SessionSnapshot,
  Stats,
} from './snapshot.js';
export { nodeEnvironment } from './socket/node.js';
export type {
  Block,
  EndedSession,
  SessionStore,
  StoreChange,
  StoreClaim,
  StoreClaimed,
  StoredSession,
  StoreFound,
  StoreOutcome,
} from './store/contract.js';
export { createSealer, type RandomBytes, type Sealer } from './store/sealing.js';
