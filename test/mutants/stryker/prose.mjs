// What Stryker leaves as it is, since no program can tell the difference.

/** The value of `key: …` in an object. */
const isValueOf = (path, key) =>
  path.parentPath?.isObjectProperty() && path.key === 'value' && path.parentPath.node.key.name === key;

/** @type {{ shouldIgnore(path: any): string | undefined }} */
const ignorer = {
  shouldIgnore(path) {
    // A chart's descriptions are for people. That each state has one is tested by test/machines/plan.test.ts.
    if (isValueOf(path, 'description') && (path.isStringLiteral() || path.isTemplateLiteral())) return 'a description';
    // `setup({ types: … })` is read by the compiler alone.
    if (isValueOf(path, 'types') && path.isObjectExpression()) return 'types only';
    return undefined;
  },
};

export const strykerPlugins = [{ kind: 'Ignore', name: 'prose', value: ignorer }];
