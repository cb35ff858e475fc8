/** The shapes of states: so that nobody has to tell them apart by colour. */
import { set, svg } from './dom.js';
import { lookOf, type Shape } from './words.js';

/** In a square of 16. */
const paths: Readonly<Record<Shape, string>> = {
  disc: 'M8 2a6 6 0 1 1 0 12A6 6 0 1 1 8 2Z',
  half: 'M8 2a6 6 0 1 1 0 12A6 6 0 1 1 8 2Zm0 1.8v8.4a4.2 4.2 0 0 0 0-8.4Z',
  ring: 'M8 2a6 6 0 1 1 0 12A6 6 0 1 1 8 2Zm0 2a4 4 0 1 0 0 8a4 4 0 1 0 0-8Z',
  arrow: 'M3.5 2.2 13.5 8 3.5 13.800Z',
  down: 'M2.200 3.500H13.800L8 13.500Z',
  glass: 'M3 1.500H13V3.500L9.200 8 13 12.500V14.500H3V12.500L6.800 8 3 3.500Z',
  cross: 'M3.800 2 8 6.200 12.200 2 14 3.800 9.800 8 14 12.200 12.200 14 8 9.800 3.800 14 2 12.200 6.200 8 2 3.800Z',
  diamond: 'M8 1 15 8 8 15 1 8Z',
  dash: 'M2.500 6.500H13.500V9.500H2.500Z',
};

/** A shape that can be made another one by `show`. */
export function shapeOf(place: string): SVGSVGElement {
  const icon = svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { 'fill-rule': 'evenodd' }));
  show(icon, place);
  return icon;
}

export function show(icon: SVGSVGElement, place: string): void {
  const { shape, tone } = lookOf(place);
  set(icon, 'class', `shape ${tone}`);
  if (icon.firstElementChild) set(icon.firstElementChild, 'd', paths[shape]);
}
