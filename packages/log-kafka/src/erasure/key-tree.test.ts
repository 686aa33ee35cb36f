import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventKey, formatTree, KeyTree, mayComeFrom, parseTree, puncture, rootDigest, rootTree, unite } from './key-tree.ts';

const ROOT = Uint8Array.from({ length: 32 }, (_, i) => i);
const LAST = 2 ** 32 - 1;

const seq = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: LAST }),
  fc.constantFrom(0, 15, 16, 255, 256, LAST - 1, LAST),
);
const seqs = fc.array(seq, { maxLength: 4 });

// A puncture is some hundred hashes.
const RUNS = { numRuns: 40 };

/** As the docblock defines it, without any cache. */
function keyByDefinition(value: number): string {
  let key: Uint8Array = ROOT;
  for (const digit of value.toString(16).padStart(8, '0')) {
    key = createHmac('sha256', key)
      .update(Uint8Array.of(Number.parseInt(digit, 16)))
      .digest();
  }
  return Buffer.from(key).toString('hex');
}

function hexKey(tree: KeyTree, value: number): string | null {
  const key = eventKey(tree, value);
  return key === null ? null : Buffer.from(key).toString('hex');
}

describe('the key of an event', () => {
  test('is that of its leaf, whatever was asked for before', () => {
    const tree = rootTree(ROOT);
    fc.assert(
      fc.property(seqs, (asked) => {
        for (const one of asked) expect(hexKey(tree, one)).toBe(keyByDefinition(one));
      }),
    );
  });

  test('never changes from one release to the next', () => {
    expect(hexKey(rootTree(ROOT), 1)).toBe('46e7cbcf1f61b5018db5349648dd234f600119549b06f25f5bfb8691683b78a1');
    expect(hexKey(rootTree(ROOT), 123_456_789)).toBe('821f3a737764f1714e4a9f8ffc873553253cd1b467da2ab5a506225734c8fc42');
  });

  test.each([-1, 0.5, 2 ** 32, Number.NaN, Infinity])('there is none for %s', (none) => {
    expect(eventKey(rootTree(ROOT), none)).toBeNull();
    expect(formatTree(puncture(rootTree(ROOT), [none]))).toBe(formatTree(rootTree(ROOT)));
  });
});

describe('puncture', () => {
  test('takes the keys of the events named, and of no others, in any number of steps', () => {
    fc.assert(
      fc.property(fc.array(seqs, { maxLength: 4 }), seqs, (steps, others) => {
        const gone = new Set(steps.flat());
        let tree = rootTree(ROOT);
        for (const step of steps) {
          // A leaf that was asked for leaves its way in the cache; the next tree must not have it.
          for (const one of step) eventKey(tree, one);
          tree = puncture(tree, step);
        }
        const neighbours = [...gone].flatMap((one) => [one - 1, one + 1, one ^ 16]).filter((one) => one >= 0 && one <= LAST);
        for (const one of [...gone, ...others, ...neighbours]) expect(hexKey(tree, one)).toBe(gone.has(one) ? null : keyByDefinition(one));
      }),
      RUNS,
    );
  });

  test('leaves no node above a leaf that it took, and none twice', () => {
    fc.assert(
      fc.property(seqs, (gone) => {
        const paths = [...puncture(rootTree(ROOT), gone).nodes.keys()];
        const leaves = gone.map((one) => one.toString(16).padStart(8, '0'));
        expect(paths.filter((path) => leaves.some((leaf) => leaf.startsWith(path)))).toEqual([]);
        expect(paths.filter((path) => paths.some((other) => other !== path && path.startsWith(other)))).toEqual([]);
      }),
      RUNS,
    );
  });

  test('leaves the tree that it was given as it was', () => {
    const tree = rootTree(ROOT);
    puncture(tree, [1, 2, 3]);
    expect(hexKey(tree, 2)).toBe(keyByDefinition(2));
  });

  test('is small: 120 nodes for one event, fewer than two for each of many that follow each other', () => {
    expect(puncture(rootTree(ROOT), [7]).nodes.size).toBe(120);
    expect(
      puncture(
        rootTree(ROOT),
        Array.from({ length: 4096 }, (_, i) => i),
      ).nodes.size,
    ).toBe(75);
  });
});

describe('two trees of one root', () => {
  test('give together what is left after what both have lost, in any order', () => {
    fc.assert(
      fc.property(seqs, seqs, seqs, (a, b, both) => {
        const [left, right] = [puncture(rootTree(ROOT), [...a, ...both]), puncture(rootTree(ROOT), [...b, ...both])];
        const gone = new Set([...a, ...both].filter((one) => [...b, ...both].includes(one)));
        for (const all of [unite(left, right)!, unite(right, left)!]) {
          for (const one of [...a, ...b, ...both]) expect(hexKey(all, one)).toBe(gone.has(one) ? null : keyByDefinition(one));
          expect(formatTree(puncture(all, [...a, ...b, ...both]))).toBe(formatTree(puncture(rootTree(ROOT), [...a, ...b, ...both])));
        }
      }),
      RUNS,
    );
  });

  test('are told from two that have another key anywhere', () => {
    const other = rootTree(Uint8Array.from({ length: 32 }, () => 9));
    expect(unite(rootTree(ROOT), other)).toBeNull();
    expect(unite(puncture(rootTree(ROOT), [7]), puncture(other, [8]))).toBeNull();
    const forged = new KeyTree(new Map([...puncture(rootTree(ROOT), [7]).nodes].map(([path, key], i) => [path, i === 50 ? ROOT : key])));
    expect(unite(rootTree(ROOT), forged)).toBeNull();
    expect(unite(forged, rootTree(ROOT))).toBeNull();
  });
});

test('a tree with its root shows by a digest which one it is; one that was punctured may be of any', () => {
  const digest = rootDigest(ROOT);
  expect(digest).toMatch(/^[\w-]{22}$/);
  expect(mayComeFrom(rootTree(ROOT), digest)).toBe(true);
  expect(mayComeFrom(rootTree(new Uint8Array(32)), digest)).toBe(false);
  expect(mayComeFrom(puncture(rootTree(new Uint8Array(32)), [1]), digest)).toBe(true);
});

describe('the JSON of a tree', () => {
  test('gives the tree back', () => {
    fc.assert(
      fc.property(seqs, seq, (gone, asked) => {
        const tree = puncture(rootTree(ROOT), gone);
        const text = formatTree(tree);
        const read = parseTree(text)!;
        expect(formatTree(read)).toBe(text);
        expect(hexKey(read, asked)).toBe(hexKey(tree, asked));
      }),
      RUNS,
    );
  });

  test('of one root is the form that is kept for ever', () => {
    expect(formatTree(rootTree(ROOT))).toBe('{"v":2,"nodes":[{"path":"","key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]}');
  });

  const key = Buffer.from(ROOT).toString('base64url');
  const tree = (...nodes: unknown[]): string => JSON.stringify({ v: 2, nodes });
  test.each([
    '',
    'null',
    '[]',
    '{"v":2}',
    tree(null),
    tree({ path: '' }),
    tree({ path: 'A', key }),
    tree({ path: '000000000', key }),
    tree({ path: '0\n', key }),
    tree({ path: '', key: `${key}A` }),
    tree({ path: '', key: key.slice(1) }),
    tree({ path: '', key: `${key.slice(0, -1)}9` }),
    tree({ path: '', key, more: 1 }),
    tree({ path: '', key }, { path: 'f', key }),
    tree({ path: '01', key }, { path: '1', key }, { path: '0', key }),
    tree({ path: '01', key }, { path: '01', key }),
    JSON.stringify({ v: 1, nodes: [] }),
    JSON.stringify({ v: 2, nodes: [], more: 1 }),
    '['.repeat(100_000),
  ])('%.60s is no tree', (text) => {
    expect(parseTree(text)).toBeNull();
  });

  test('of anything at all gives a tree or null', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(parseTree(text)).toBeNull();
      }),
    );
    expect(parseTree('{"v":2,"nodes":[]}')!.nodes.size).toBe(0);
  });
});
