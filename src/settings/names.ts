/** The names of options that are no numbers. */
import type {
  ConnectOptions,
  connectionNumbers,
  LineChoices,
  ListenOptions,
  lineNumbers,
  serverNumbers,
} from '../options.js';

type Names<Options, Table> = { readonly [Option in Exclude<keyof Options, keyof Table>]-?: true };

/** What is no number, once more as values: a misspelled option must not be passed over. */
const lineChoices = {
  framing: true,
  emptyFrames: true,
  discardIncoming: true,
  copy: true,
  noDelay: true,
  inspect: true,
  flightRecorder: true,
  environment: true,
} as const satisfies Names<LineChoices, object>;

export const connectChoices: Names<ConnectOptions, typeof lineNumbers & typeof connectionNumbers> = {
  ...lineChoices,
  host: true,
  port: true,
  path: true,
  endpoints: true,
  name: true,
  whenDisconnected: true,
  backoff: true,
  onConnect: true,
  session: true,
  localAddress: true,
  localPort: true,
  lookup: true,
  tls: true,
  signal: true,
};

export const listenChoices: Names<ListenOptions, typeof lineNumbers & typeof serverNumbers> = {
  ...lineChoices,
  host: true,
  port: true,
  path: true,
  backlog: true,
  tls: true,
  blockList: true,
  proxyProtocol: true,
  session: true,
  name: true,
  signal: true,
};
