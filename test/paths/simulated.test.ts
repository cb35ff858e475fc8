import { walkAllPaths } from './paths.js';
import { SimulatedWorld } from './world.simulated.js';

walkAllPaths('over the simulated network', () => SimulatedWorld.create(), false);
