// The layers of the library, top to bottom. Each imports only its own layer or lower ones.
const at = (names) => `^src/(${names.join('|')})(\\.ts$|/)`;

const layers = [
  { name: 'cli', path: at(['cli']) },
  { name: 'doors', path: at(['index', 'inspector', 'testing', 'opentelemetry', 'redis', 'file-store']) },
  {
    name: 'facade',
    path: at([
      'connection',
      'connection-life',
      'connection-places',
      'connection-view',
      'server',
      'admission',
      'peer',
      'peer-life',
      'peer-view',
      'session-life',
      'session-sleep',
      'line',
    ]),
  },
  { name: 'engine', path: `^machines/|${at(['socket', 'delivery', 'protocol', 'sessions'])}` },
  {
    name: 'values',
    path: at([
      'framing',
      'options',
      'settings',
      'diagnostics',
      'inspection',
      'meter',
      'snapshot',
      'registry',
      'recorder',
      'store',
    ]),
  },
  { name: 'ground', path: at(['target', 'errors', 'backoff', 'environment', 'addresses', 'version']) },
];
const anyLayer = layers.map((layer) => layer.path).join('|');

const ours = '^(src|machines)/';
const impure = ['^src/socket/node(-clock)?\\.ts$', '^src/(testing|inspector|cli)/'];
const network = ['^src/socket/node(-transport|-tls)?\\.ts$'];
const builtin = (names) => `^(node:)?(${names.join('|')})(/promises)?$`;

const upwards = layers.slice(1).map((layer, index) => ({
  name: `layer-${layer.name}-imports-no-higher-layer`,
  comment: `${layer.name} is below ${layers[index].name}`,
  severity: 'error',
  from: { path: layer.path },
  to: {
    path: layers
      .slice(0, index + 1)
      .map((higher) => higher.path)
      .join('|'),
  },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...upwards,
    {
      name: 'every-file-has-a-layer-importing',
      comment: 'add a new file at the root of src to the table of layers',
      severity: 'error',
      from: { path: ours, pathNot: anyLayer },
      to: {},
    },
    {
      name: 'every-file-has-a-layer-imported',
      severity: 'error',
      from: {},
      to: { path: ours, pathNot: anyLayer },
    },
    {
      name: 'every-file-has-a-layer-alone',
      severity: 'error',
      from: { orphan: true, path: ours, pathNot: anyLayer },
      to: {},
    },
    {
      name: 'no-circles',
      comment: 'circles of types count as well',
      severity: 'error',
      from: { path: ours },
      to: { circular: true },
    },
    {
      name: 'machines-import-no-values-from-src',
      severity: 'error',
      from: { path: '^machines/' },
      to: { path: '^src/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'machines-see-options-errors-environment-only',
      severity: 'error',
      from: { path: '^machines/' },
      to: { path: '^src/', pathNot: '^src/(options|errors|environment)\\.ts$' },
    },
    {
      name: 'machines-import-xstate-and-each-other',
      severity: 'error',
      from: { path: '^machines/' },
      to: { pathNot: ['^machines/', '^src/', '(^|/)node_modules/xstate/'] },
    },
    {
      name: 'network-through-socket-node-only',
      severity: 'error',
      from: { path: ours, pathNot: [...network, '^src/environment\\.ts$', '^src/(testing|inspector|cli)/'] },
      to: { path: builtin(['net', 'tls', 'dns']) },
    },
    {
      name: 'environment-has-types-of-the-network-only',
      severity: 'error',
      from: { path: '^src/environment\\.ts$' },
      to: { path: builtin(['net', 'tls', 'dns']), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'testing-network-in-proxy-and-script-server-only',
      severity: 'error',
      from: { path: '^src/testing/', pathNot: '/(fault-proxy|script-server)\\.ts$' },
      to: { path: builtin(['net']) },
    },
    {
      name: 'testing-uses-no-tls-or-dns',
      severity: 'error',
      from: { path: '^src/testing/' },
      to: { path: builtin(['tls', 'dns']) },
    },
    {
      name: 'time-through-the-environment',
      comment: 'the calls themselves are found by `npm run checks`',
      severity: 'error',
      from: { path: ours, pathNot: impure },
      to: { path: builtin(['timers', 'perf_hooks']) },
    },
    {
      name: 'no-xstate-below-the-machines',
      severity: 'error',
      from: { path: at(['framing', 'delivery', 'protocol', 'target', 'errors', 'backoff', 'options', 'recorder']) },
      to: { path: ['(^|/)node_modules/xstate/', '^xstate($|/)'] },
    },
    {
      name: 'testing-is-for-testing-and-cli',
      severity: 'error',
      from: { path: ours, pathNot: '^src/(testing|cli)/' },
      to: { path: '^src/testing/' },
    },
    {
      name: 'inspector-is-for-inspector-and-cli',
      severity: 'error',
      from: { path: ours, pathNot: '^src/(inspector|cli)/' },
      to: { path: '^src/inspector/' },
    },
    {
      name: 'library-imports-no-tests',
      severity: 'error',
      from: { path: ours },
      to: { path: '^(test|docs|\\.config|dist)/' },
    },
    {
      name: 'library-uses-dependencies-only',
      comment: 'a package that src or machines import belongs into dependencies',
      severity: 'error',
      from: { path: ours, pathNot: '^src/(opentelemetry|redis)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
    {
      name: 'opentelemetry-uses-its-optional-peer',
      comment: 'who does not import this door needs no OpenTelemetry',
      severity: 'error',
      from: { path: '^src/opentelemetry/' },
      to: { path: '(^|/)node_modules/', pathNot: '(^|/)node_modules/@opentelemetry/api/' },
    },
    {
      name: 'opentelemetry-api-in-its-door-only',
      severity: 'error',
      from: { path: ours, pathNot: '^src/opentelemetry/' },
      to: { path: '(^|/)node_modules/@opentelemetry/' },
    },
    {
      name: 'redis-uses-its-optional-peer',
      comment: 'who does not import this door needs no Redis',
      severity: 'error',
      from: { path: '^src/redis/' },
      to: { path: '(^|/)node_modules/', pathNot: '(^|/)node_modules/redis/' },
    },
    {
      name: 'redis-in-its-door-only',
      severity: 'error',
      from: { path: ours, pathNot: '^src/redis/' },
      to: { path: '(^|/)node_modules/@?redis/' },
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      // What is built is there only after a build.
      to: { couldNotResolve: true, pathNot: '/dist/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: ['(^|/)node_modules/', '^dist/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
