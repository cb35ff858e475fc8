import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type MetricRule, metricTable } from '../../src/opentelemetry/table.js';

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly gridPos: Place;
  readonly datasource: { readonly uid: string };
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

const file = new URL('../../docs/grafana/ninja-tcp.json', import.meta.url);
const dashboard = JSON.parse(readFileSync(file, 'utf8')) as Dashboard;
const { panels, templating } = dashboard;
const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

const UNITS: Record<string, string> = { s: '_seconds', By: '_bytes' };

/** What Prometheus calls a metric: dots become underscores, units and kinds are appended. */
function seriesOf([name, { kind, unit }]: [string, MetricRule]): string[] {
  const base = `${name.replaceAll('.', '_')}${UNITS[unit] ?? ''}`;
  if (kind === 'counter') return [`${base}_total`];
  if (kind === 'histogram') return ['_bucket', '_sum', '_count'].map((part) => `${base}${part}`);
  return [base];
}

const series = new Map(
  Object.entries<MetricRule>(metricTable).flatMap((entry) => seriesOf(entry).map((one) => [one, entry])),
);
/** What is left of an expression once its labels, and what they are compared with, are gone. */
const metricsOf = (expr: string): string[] =>
  [...expr.replace(/\{[^}]*\}|by \([^)]*\)/g, '').matchAll(/ninja_tcp_\w+/g)].map(([name]) => name);

describe('docs/grafana/ninja-tcp.json', () => {
  test('every metric that it queries exists', () => {
    const queried = [
      ...expressions.flatMap(metricsOf),
      ...templating.list.flatMap(({ definition = '' }) => metricsOf(definition.replace(/, \w+\)$/, ''))),
    ];
    expect(queried.length).toBeGreaterThan(15);
    expect(queried.filter((name) => !series.has(name))).toEqual([]);
  });

  test('every metric that exists is shown', () => {
    const shown = new Set(expressions.flatMap(metricsOf).map((name) => series.get(name)?.[0]));
    expect(Object.keys(metricTable).filter((name) => !shown.has(name))).toEqual([]);
  });

  test('every label is an attribute of its metric', () => {
    for (const expr of expressions) {
      const [metric = ''] = metricsOf(expr);
      const attributes = series.get(metric)?.[1].attributes.map((one) => one.replaceAll('.', '_')) ?? [];
      const labels = [
        ...[...expr.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label]) => label as string),
        ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', ')),
      ];
      expect(
        labels.filter((label) => !['job', 'le', ...attributes].includes(label)),
        expr,
      ).toEqual([]);
    }
  });

  test('parentheses, braces and brackets are balanced', () => {
    for (const expr of expressions) {
      for (const [open, close] of ['()', '{}', '[]'] as const) {
        expect(expr.split(open as string).length, expr).toBe(expr.split(close as string).length);
      }
    }
  });

  test('is a dashboard: panels have a kind, a title, a source, an id of their own and targets', () => {
    expect([dashboard.uid, dashboard.title, dashboard.schemaVersion]).toEqual(['ninja-tcp', 'ninja-tcp', 39]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { type, title, description, datasource, targets } of panels) {
      expect(['stat', 'timeseries']).toContain(type);
      expect(`${title} ${description}`).toMatch(/^\S.* .*\.$/);
      expect(datasource.uid).toBe(`\${datasource}`);
      expect(targets.map(({ refId }) => refId)).toEqual(['A', 'B', 'C'].slice(0, targets.length));
      for (const { legendFormat } of targets) expect(legendFormat).not.toBe('');
    }
    const variables = templating.list.map(({ name }) => name);
    const used = new Set([...JSON.stringify(panels).matchAll(/\$\{?(\w+)/g)].map(([, name]) => name as string));
    used.delete('__rate_interval');
    expect([...used].sort()).toEqual([...variables].sort());
  });

  test('no panel lies on another, none sticks out of the 24 columns', () => {
    const overlap = (a: Place, b: Place) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
    for (const [index, { gridPos, title }] of panels.entries()) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      expect(
        panels.slice(index + 1).filter((other) => overlap(gridPos, other.gridPos)),
        title,
      ).toEqual([]);
    }
  });
});
