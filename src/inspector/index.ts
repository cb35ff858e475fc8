/** ninja-tcp/inspector: a page on this machine that shows what every connection is doing, and why. */
export { type Inspector, type InspectorOptions, startInspector } from './inspector.js';
