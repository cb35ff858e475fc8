/** What the option `flightRecorder` comes to, checked. */
import { type FlightRecorderOptions, recorderNumbers } from '../options.js';
import type { RecorderSettings } from '../recorder/recorder.js';
import { checkedNumber, optional, refuse, refuseUnknown } from './checks.js';

const NAME = 'flightRecorder';
const { entries, payloads } = recorderNumbers;

export function recorderSettings(given: boolean | FlightRecorderOptions | undefined): RecorderSettings | undefined {
  if (given === undefined || given === false) return undefined;
  const options = given === true ? {} : given;
  if (options === null || typeof options !== 'object') refuse(NAME, 'true, false or { entries, payloads, … }', given);
  refuseUnknown(NAME, options, recorderNumbers, { redact: true, dumpOnFailure: true });
  const { dumpOnFailure = false } = options;
  if (typeof dumpOnFailure !== 'boolean' && typeof dumpOnFailure !== 'function') {
    refuse(`${NAME}.dumpOnFailure`, 'true, false or a function', dumpOnFailure);
  }
  return {
    entries: checkedNumber(`${NAME}.entries`, options.entries ?? entries.default, entries),
    payloads: checkedNumber(`${NAME}.payloads`, options.payloads ?? payloads.default, payloads),
    redact: optional(`${NAME}.redact`, options.redact, 'function', 'a function (message, way) => bytes'),
    dumpOnFailure,
  };
}
