import { DreamfoldError } from '@dreamfold/events';
import type { ReadOptions } from './port.ts';

/** @throws DreamfoldError invalid_argument */
export function checkRange({ from = 1, to = Number.MAX_SAFE_INTEGER }: ReadOptions): { from: number; to: number } {
  for (const [path, value] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (Number.isSafeInteger(value) && value >= (path === 'from' ? 1 : 0)) continue;
    throw new DreamfoldError('invalid_argument', `${path} is not a seq`, {
      path,
      value,
      remedy: 'Seqs are whole numbers from 1; the last one is head.seq.',
    });
  }
  return { from, to };
}

/** @throws DreamfoldError invalid_cursor */
export function checkPosition(position: number): void {
  if (Number.isSafeInteger(position) && position >= 1) return;
  throw new DreamfoldError('invalid_cursor', 'Positions of a log are whole numbers from 1', {
    path: 'position',
    value: position,
    remedy: 'Pass the position that an append gave, or that of an event.',
  });
}
