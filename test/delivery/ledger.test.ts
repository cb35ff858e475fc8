import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { Ledger, type Loss } from '../../src/delivery/ledger.js';
import { Outbox, type Range } from '../../src/delivery/outbox.js';

describe('the ledger', () => {
  test('numbers what is accepted from 1, and gives each written one its place in the epoch', () => {
    const ledger = new Ledger();
    expect([ledger.accept(), ledger.accept(), ledger.accept()]).toEqual([1, 2, 3]);
    expect([ledger.write(1, 10), ledger.write(2, 20)]).toEqual([1, 2]);
    ledger.lose();
    expect([ledger.accept(), ledger.write(3, 30), ledger.accepted]).toEqual([4, 1, 4]);
  });

  const unknown: Range = { from: 1, to: 3, messages: 3, bytes: 60 };
  const rows: [string, number, Omit<Loss, 'held'>][] = [
    ['nothing taken', 0, { unknown, unflushed: 3 }],
    ['two taken', 2, { unknown, unflushed: 1 }],
    ['all taken', 3, { unknown, unflushed: 0 }],
  ];
  test.each(rows)('three written, %s: told once', (_, flushed, loss) => {
    const ledger = new Ledger();
    for (const bytes of [10, 20, 30]) ledger.write(ledger.accept(), bytes);
    ledger.flushed = flushed;
    expect(ledger.lose()).toEqual(loss);
    expect(ledger.lose()).toEqual({ unknown: undefined, unflushed: 0 });
    ledger.write(ledger.accept(), 5);
    expect(ledger.lose()).toEqual({ unknown: { from: 4, to: 4, messages: 1, bytes: 5 }, unflushed: 1 });
  });

  test('a range of unknown ones may have gaps, where others were dropped', () => {
    const ledger = new Ledger();
    for (let n = 0; n < 5; n += 1) ledger.accept();
    ledger.write(1, 1);
    ledger.write(5, 1);
    expect(ledger.lose().unknown).toEqual({ from: 1, to: 5, messages: 2, bytes: 2 });
  });

  test('over any life: accepted = unknown ∪ held ∪ dropped, each number in one of them', () => {
    type Step = 'send' | 'hold' | 'write' | 'flush' | 'lose' | 'expire';
    const steps: Step[] = ['send', 'hold', 'write', 'flush', 'lose', 'expire'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...steps), { maxLength: 300 }), (life) => {
        const ledger = new Ledger();
        const outbox = new Outbox();
        const told = new Map<number, string>();
        const tell = (number: number, what: string) => {
          expect(told.has(number)).toBe(false);
          told.set(number, what);
        };
        let written: number[] = [];
        let now = 0;
        const write = (number: number) => {
          ledger.write(number, 1);
          written.push(number);
        };
        const send = () => {
          const number = ledger.accept();
          if (outbox.messages === 0) write(number);
          else outbox.push({ payload: Buffer.alloc(1), number, expiresAt: now + 3 });
        };
        const lose = () => {
          const loss = ledger.lose();
          expect(loss.unknown?.messages ?? 0).toBe(written.length);
          expect([loss.unknown?.from, loss.unknown?.to]).toEqual([written[0], written.at(-1)]);
          for (const number of written) tell(number, 'unknown');
          written = [];
        };
        for (const step of life) {
          now += 1;
          if (step === 'send') send();
          else if (step === 'hold')
            outbox.push({ payload: Buffer.alloc(1), number: ledger.accept(), expiresAt: now + 5 });
          else if (step === 'write') {
            const next = outbox.shift();
            if (next) write(next.number);
          } else if (step === 'flush') ledger.flushed = ledger.written;
          else if (step === 'lose') lose();
          else
            for (const range of outbox.expire(now)) for (let n = range.from; n <= range.to; n += 1) tell(n, 'dropped');
          expect(told.size + written.length + outbox.messages).toBe(ledger.accepted);
          expect(ledger.written).toBe(written.length);
        }
      }),
    );
  });
});
