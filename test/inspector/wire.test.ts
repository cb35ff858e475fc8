import { expectTypeOf, test } from 'vitest';
import type { Order as Given, Message as Heard } from '../../src/inspector/page/wire.js';
import type { Message, Order } from '../../src/inspector/wire.js';

// Told by the type checker: the page has no imports from the server, and describes the wire itself.
test('what the server says is what the page hears', () => {
  expectTypeOf<Message>().toExtend<Heard>();
  expectTypeOf<Given>().toEqualTypeOf<Order>();
});
