import type { Room } from '../mutant.ts';

const at = (path: string): string => `packages/dreamfold/src/${path}`;

/** What users write a team with. */
export const DREAMFOLD: Room = {
  room: 'dreamfold',
  mutants: [
    {
      name: 'tool-that-says-nothing-of-its-effect',
      what: 'A tool of whose effect nobody has thought would run again after a crash.',
      file: at('tool.ts'),
      find: "effect: given.effect ?? 'unsafe',",
      replace: "effect: given.effect ?? 'keyed',",
      tests: [at('tool.test.ts')],
    },
    {
      name: 'input-checked-before-a-run',
      what: 'A tool would run with input that does not fit its schema.',
      file: at('tool.ts'),
      find: 'if (result.success) return result.data;',
      replace: 'if (result !== null) return value;',
      tests: [at('tool.test.ts')],
    },
    {
      name: 'schema-that-is-no-object',
      what: 'A model would be shown a tool whose input no service takes.',
      file: at('tool.ts'),
      find: "if (schema['type'] !== 'object') throw",
      replace: "if (schema['type'] === null) throw",
      tests: [at('tool.test.ts')],
    },
    {
      name: 'model-that-nobody-knows',
      what: 'A misspelt name would ask another model.',
      file: at('models.ts'),
      find: "if (name.startsWith('claude')) return anthropic();",
      replace: 'return anthropic();',
      tests: [at('models.test.ts')],
    },
    {
      name: 'criterion-judged-in-two-ways',
      what: 'One of two graders of a criterion would never be asked.',
      file: at('rubric.ts'),
      find: 'if (ways.length !== 1) throw',
      replace: 'if (ways.length === 0) throw',
      tests: [at('rubric.test.ts')],
    },
    {
      name: 'criterion-that-stands-twice',
      what: 'Two criteria of one id would share a score.',
      file: at('rubric.ts'),
      find: 'if (criteria.findIndex((c) => c.id === id) !== i) throw',
      replace: 'if (criteria.findIndex((c) => c.id === id) < 0) throw',
      tests: [at('rubric.test.ts')],
    },
    {
      name: 'attempt-that-does-not-fit-its-schema',
      what: 'An attempt that is JSON of another shape would score full marks.',
      file: at('rubric.ts'),
      find: "if (result.success) return { score: 1, reason: 'fits the schema' };",
      replace: "if (result !== null) return { score: 1, reason: 'fits the schema' };",
      tests: [at('rubric.test.ts')],
    },
  ],
};
