import type { RecoveryInsight } from '@dreamfold/events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  parseBaseRate,
  parseChoice,
  parseRecovery,
  renderBaseRate,
  renderChoice,
  renderCue,
  renderRate,
  renderRecovery,
} from './insight-text.ts';

const name = fc.oneof(fc.stringMatching(/^[\w.-]+$/), fc.string({ unit: 'binary' }));
const cue = fc.record({ phrase: fc.string({ unit: 'binary', minLength: 1 }), points: fc.integer({ min: 1, max: 999 }) });

test('a choice that is written is read back, with its cues on one line or on lines of their own', () => {
  const choices = fc.record({ field: name, value: fc.string({ unit: 'binary' }), cues: fc.array(cue, { minLength: 1, maxLength: 6 }) });
  fc.assert(
    fc.property(choices, fc.constantFrom(', ', '\n', '\n  '), fc.boolean(), ({ field, value, cues }, between, isDashed) => {
      const line = `${renderChoice({ field, value })} ${cues.map(renderCue).join(between)}`;
      const read = parseChoice(isDashed ? line : line.slice('- '.length));
      expect(read).toMatchObject({ field, value, rest: '' });
      expect(read!.cues.map(({ phrase, points }) => ({ phrase, points }))).toEqual(cues);
    }),
  );
});

test('a recovery that is written is read back', () => {
  const recoveries = fc.record({ signature: fc.string({ unit: 'binary' }), next: fc.oneof(fc.constant('respond'), name) });
  fc.assert(
    fc.property(recoveries, (recovery) => {
      expect(parseRecovery(renderRecovery(recovery as RecoveryInsight))).toEqual(recovery);
    }),
  );
});

test('base rates that are written are read back, on one line or on lines of their own', () => {
  const rate = fc.record({ value: fc.string({ unit: 'binary' }), points: fc.integer({ min: 1, max: 999 }) });
  const rates = fc.record({ field: name, values: fc.array(rate, { minLength: 1, maxLength: 6 }) });
  fc.assert(
    fc.property(rates, fc.constantFrom(', ', '\n'), ({ field, values }, between) => {
      expect(parseBaseRate(`${renderBaseRate({ field })} ${values.map(renderRate).join(between)}`)).toEqual({ field, values, rest: '' });
    }),
  );
  expect(renderCue({ phrase: '', points: 7 })).toBe('anything (+7)');
});

test('what is none is not read', () => {
  for (const text of ['', 'queue = shipping', 'queue is "shipping" when the request says "x" (+1)', '- after the error "x", try again']) {
    expect(parseChoice(text)).toBeNull();
    expect(parseRecovery(text)).toBeNull();
    expect(parseBaseRate(text)).toBeNull();
  }
  expect(() => parseChoice('queue = "\\x" when the request says "x" (+1)')).toThrow(SyntaxError);
});
