/** What is fuzzed, and how much of it. */
import type { IAsyncPropertyWithHooks, IPropertyWithHooks } from 'fast-check';
import { client } from './client.js';
import { decoder } from './decoder.js';
import { connectionChart, peerChart } from './line-machines.js';
import { framingOptions, optionParser } from './options.js';
import { server } from './server.js';
import { serverChart } from './server-machine.js';

interface Target {
  // biome-ignore lint/suspicious/noExplicitAny: each has values of its own
  readonly property: IPropertyWithHooks<any> | IAsyncPropertyWithHooks<any>;
  /** Its part of all cases. */
  readonly share: number;
  /** Cases between two reports: about a second of them. */
  readonly batch: number;
}

export const targets: Readonly<Record<string, Target>> = {
  decoder: { property: decoder, share: 0.46, batch: 4000 },
  options: { property: optionParser, share: 0.2, batch: 5000 },
  framings: { property: framingOptions, share: 0.05, batch: 5000 },
  'connection machine': { property: connectionChart, share: 0.15, batch: 1000 },
  'peer machine': { property: peerChart, share: 0.08, batch: 1000 },
  'server machine': { property: serverChart, share: 0.05, batch: 2000 },
  client: { property: client, share: 0.005, batch: 100 },
  server: { property: server, share: 0.008, batch: 100 },
};
