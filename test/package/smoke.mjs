// The package by `import`.
import * as main from 'ninja-tcp';
import * as machines from 'ninja-tcp/machines';
import * as testing from 'ninja-tcp/testing';
import { run } from './checks.mjs';

await run({ main, testing, machines });
