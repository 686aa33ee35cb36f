import { recorded } from '@dreamfold/model';
import { expect, test } from 'vitest';
import { modelsByName } from './models.ts';

test('a model is found by its name, and made once', () => {
  const own = recorded([]);
  const find = modelsByName({ own });
  expect(find('own')).toBe(own);
  expect(find('scripted')).toBe(find('scripted'));
});

test.each(['', 'own', 'script', 'gpt', 'Claude'])('no other model takes the place of %j', (name) => {
  expect(() => modelsByName({})(name)).toThrow(expect.objectContaining({ code: 'unknown_model', value: name }));
});
