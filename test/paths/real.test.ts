import { walkAllPaths } from './paths.js';
import { RealWorld } from './world.real.js';

walkAllPaths('over real sockets', () => RealWorld.create(), true);
