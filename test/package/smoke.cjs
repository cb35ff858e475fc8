// The package by `require`.
const main = require('ninja-tcp');
const inspector = require('ninja-tcp/inspector');
const machines = require('ninja-tcp/machines');
const testing = require('ninja-tcp/testing');

import('./checks.mjs').then(({ run }) => run({ main, testing, machines, inspector }));
