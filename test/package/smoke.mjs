// The package by `import`.
import * as main from 'ninja-tcp';
import * as inspector from 'ninja-tcp/inspector';
import * as machines from 'ninja-tcp/machines';
import * as testing from 'ninja-tcp/testing';
import { run } from './checks.mjs';

await run({ main, testing, machines, inspector });
