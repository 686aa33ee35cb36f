import { hash } from 'node:crypto';
import { z } from 'zod';

// A puncturable key: one 32-byte key stands for 2^32 event keys, of which any can be destroyed without the others.
// It is the tree of Goldreich, Goldwasser and Micali, "How to construct random functions" (1984): a child's key is a
// one-way function of its parent's, here HMAC-SHA256(parent, nibble), and the leaf below the nibbles of `seq` is the event's key.
// To destroy a leaf, the node above it is replaced by what branches off on the way down:
//
//        k            k         destroyed: 01. Its ancestors are gone with it: from
//      /   \        /   \       them it could be derived again. What is left covers all others.
//     0     1      ·     1
//    / \          / \
//   00 01        00  ·

/** Nibbles from the root to a leaf. */
const DEPTH = 8;
const DEEPEST_PARENT = DEPTH - 1;

/** The nibbles by their hexadecimal digits. */
const NIBBLES = new Map(Array.from({ length: 16 }, (_, n) => [n.toString(16), n]));

/** Bytes that SHA-256 takes at a time, and gives. */
const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/** What is left of a key after events were punctured out of it. Immutable. */
export class KeyTree {
  /** Keys by their path, in hexadecimal nibbles from the root; no path begins another. */
  readonly nodes: ReadonlyMap<string, Uint8Array>;
  // The way to the leaf that was asked for last, by depth: its neighbour shares all of it.
  #path = '';
  #way: (HmacKey | undefined)[] = [];

  constructor(nodes: ReadonlyMap<string, Uint8Array>) {
    this.nodes = nodes;
  }

  /** The key of the leaf with this path, null when none of the nodes leads to it. */
  leaf(path: string): Uint8Array | null {
    let shared = 0;
    while (shared < DEEPEST_PARENT && this.#path[shared] === path[shared]) shared += 1;
    if (this.#way[shared] === undefined) {
      const cover = coverOf(this.nodes, path);
      if (cover === null) return null;
      if (cover.length === DEPTH) return this.nodes.get(cover)!;
      shared = cover.length;
      this.#way = [];
      this.#way[shared] = hmacKey(this.nodes.get(cover)!);
    }
    this.#path = path;
    for (; shared < DEEPEST_PARENT; shared += 1) this.#way[shared + 1] = hmacKey(childKey(this.#way[shared]!, path[shared]!));
    return childKey(this.#way[DEEPEST_PARENT]!, path[DEEPEST_PARENT]!);
  }
}

/** What HMAC (RFC 2104) hashes under a key of 32 bytes: the key in its two paddings, each with room for what is hashed after it. */
interface HmacKey {
  inner: Buffer;
  outer: Buffer;
}

function hmacKey(key: Uint8Array): HmacKey {
  const inner = Buffer.alloc(BLOCK_BYTES + 1, 0x36);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c);
  key.forEach((byte, i) => {
    inner[i]! ^= byte;
    outer[i]! ^= byte;
  });
  return { inner, outer };
}

/** HMAC-SHA256(parent, nibble). Two hashes take half as long as an Hmac object, and text a third as long as a buffer. */
function childKey({ inner, outer }: HmacKey, digit: string): Uint8Array {
  inner[BLOCK_BYTES] = NIBBLES.get(digit)!;
  outer.write(hash('sha256', inner, 'binary'), BLOCK_BYTES, 'latin1');
  return Buffer.from(hash('sha256', outer, 'binary'), 'latin1');
}

/** The nibbles of a seq, null for what is no seq below 2^32. */
function pathOf(seq: number): string | null {
  return Number.isInteger(seq) && seq >= 0 && seq < 16 ** DEPTH ? seq.toString(16).padStart(DEPTH, '0') : null;
}

/** The node that a leaf's key is derived from. */
function coverOf(nodes: ReadonlyMap<string, Uint8Array>, leaf: string): string | null {
  for (let depth = 0; depth <= leaf.length; depth += 1) {
    const path = leaf.slice(0, depth);
    if (nodes.has(path)) return path;
  }
  return null;
}

/** A tree with every event's key. @param key 32 random bytes */
export function rootTree(key: Uint8Array): KeyTree {
  return new KeyTree(new Map([['', key]]));
}

/** The 32-byte key of an event, null when it was punctured or `seq` is no integer below 2^32. Consecutive seqs are cheap. */
export function eventKey(tree: KeyTree, seq: number): Uint8Array | null {
  const path = pathOf(seq);
  return path === null ? null : tree.leaf(path);
}

/** Whether {@link eventKey} gives a key, without deriving it. */
export function holdsKey(tree: KeyTree, seq: number): boolean {
  const path = pathOf(seq);
  return path !== null && coverOf(tree.nodes, path) !== null;
}

/** The tree without the keys of some events. An event on its own takes up to 120 nodes, consecutive ones share most of theirs. */
export function puncture(tree: KeyTree, seqs: Iterable<number>): KeyTree {
  const nodes = new Map(tree.nodes);
  for (const seq of seqs) {
    const leaf = pathOf(seq);
    const cover = leaf === null ? null : coverOf(nodes, leaf);
    if (cover === null) continue;
    let parent = hmacKey(nodes.get(cover)!);
    nodes.delete(cover);
    for (let depth = cover.length; depth < DEPTH; depth += 1) {
      for (const digit of NIBBLES.keys()) if (digit !== leaf![depth]) nodes.set(leaf!.slice(0, depth) + digit, childKey(parent, digit));
      parent = hmacKey(childKey(parent, leaf![depth]!));
    }
  }
  return new KeyTree(nodes);
}

/** The keys that either of two trees has; null when a key of the one is not what the other leads to: they have not one root. */
export function unite(a: KeyTree, b: KeyTree): KeyTree | null {
  const nodes = new Map<string, Uint8Array>();
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    for (const [path, key] of one.nodes) {
      const cover = coverOf(other.nodes, path);
      if (cover !== null && Buffer.compare(derive(other.nodes.get(cover)!, path.slice(cover.length)), key) !== 0) return null;
      // What stands below a node of the other follows from that one.
      if (cover === null || cover === path) nodes.set(path, key);
    }
  }
  return new KeyTree(nodes);
}

function derive(key: Uint8Array, digits: string): Uint8Array {
  let derived = key;
  for (const digit of digits) derived = childKey(hmacKey(derived), digit);
  return derived;
}

/** Names a root without telling it: the first 132 bits of its sha-256, as base64url. */
export function rootDigest(key: Uint8Array): string {
  return hash('sha256', key, 'base64url').slice(0, 22);
}

/** Whether a tree can be what is left of the root with a digest. Of one that was punctured nobody can tell by itself. */
export function mayComeFrom(tree: KeyTree, digest: string): boolean {
  const root = tree.nodes.get('');
  return root === undefined || rootDigest(root) === digest;
}

export function isRoot(tree: KeyTree): boolean {
  return tree.nodes.has('');
}

/** A tree as it stands on the keys' topic. */
export const StoredTree = z.strictObject({
  v: z.literal(2),
  nodes: z.array(
    z.strictObject({
      path: z.string().regex(/^[0-9a-f]{0,8}$/),
      // 32 bytes as base64url, written the one way there is.
      key: z.string().regex(/^[\w-]{42}[AEIMQUYcgkosw048]$/),
    }),
  ),
});

/** The JSON that stands for a tree, the same for equal trees. */
export function formatTree(tree: KeyTree): string {
  const nodes = [...tree.nodes].sort(([a], [b]) => (a < b ? -1 : 1));
  const stored: z.infer<typeof StoredTree> = {
    v: 2,
    nodes: nodes.map(([path, key]) => ({ path, key: Buffer.from(key).toString('base64url') })),
  };
  return JSON.stringify(stored);
}

/** The tree that {@link formatTree} gave, null for any other text. */
export function parseTree(text: string): KeyTree | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const stored = StoredTree.safeParse(value);
  if (!stored.success) return null;
  const paths = stored.data.nodes.map(({ path }) => path).sort();
  // In order, whatever begins with a path comes right after it.
  if (paths.some((path, i) => i > 0 && path.startsWith(paths[i - 1]!))) return null;
  return new KeyTree(new Map(stored.data.nodes.map(({ path, key }) => [path, Buffer.from(key, 'base64url')])));
}
