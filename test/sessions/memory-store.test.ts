import { memoryStore } from '../../src/sessions/memory-store.js';
import { contract } from './contract.js';

contract('in memory', async () => {
  let now = 0;
  const pass = (ms: number): void => {
    now += ms;
  };
  return { store: memoryStore({ now: () => now }), pass };
});
