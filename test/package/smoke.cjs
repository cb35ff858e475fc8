// The package by `require`.
const main = require('ninja-tcp');
const machines = require('ninja-tcp/machines');
const testing = require('ninja-tcp/testing');

import('./checks.mjs').then(({ run }) => run({ main, testing, machines }));
