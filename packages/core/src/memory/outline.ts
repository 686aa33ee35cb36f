import { utf8Bytes } from './canonical-json.ts';

/** A part of a text: parts of its own, in the order in which they came, between what opens and what closes it. */
export interface Part {
  open: string;
  close?: string;
  /** Stands between its parts. */
  between?: string;
}

interface Node {
  part: Part;
  children: Map<string, Node>;
}

/** A text that is put together from parts within parts, and never takes more bytes than it may. */
export class Outline {
  readonly #root: Node;
  #bytesLeft: number;

  /** @param between stands between the outermost parts */
  constructor(maxBytes: number, between: string) {
    this.#root = { part: { open: '', between }, children: new Map() };
    this.#bytesLeft = maxBytes;
  }

  /**
   * Adds the last part of a path, with those around it that are not there yet. Parts that open alike are one.
   * @returns false when that does not fit, and the text is as it was
   */
  add(path: readonly Part[]): boolean {
    const missing = this.#missing(path);
    const bytes = missing.reduce((sum, { cost }) => sum + cost, 0);
    if (bytes > this.#bytesLeft) return false;
    this.#bytesLeft -= bytes;
    for (const { parent, node } of missing) parent.children.set(node.part.open, node);
    return true;
  }

  /** How many bytes a part that opens and closes with nothing would have. */
  room(path: readonly Part[]): number {
    return this.#bytesLeft - this.#missing(path).reduce((sum, { cost }) => sum + cost, 0);
  }

  #missing(path: readonly Part[]): { parent: Node; node: Node; cost: number }[] {
    let parent = this.#root;
    return path.flatMap((part) => {
      const known = parent.children.get(part.open);
      const node = known ?? { part, children: new Map<string, Node>() };
      const join = parent.children.size > 0 ? utf8Bytes(parent.part.between ?? '') : 0;
      const missing = { parent, node, cost: join + utf8Bytes(part.open) + utf8Bytes(part.close ?? '') };
      parent = node;
      return known === undefined ? [missing] : [];
    });
  }

  toString(): string {
    return textOf(this.#root);
  }
}

function textOf({ part: { open, close = '', between = '' }, children }: Node): string {
  return `${open}${[...children.values()].map(textOf).join(between)}${close}`;
}
