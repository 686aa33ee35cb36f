import { utf8Bytes } from '../document/canonical-json.ts';

/** A part of a text: parts of its own, in the order in which they came, between what opens and what closes it. */
export interface Part {
  readonly open: string;
  readonly close: string;
  /** Stands between its parts. */
  readonly between: string;
  /** Of what opens and closes it, in UTF-8. */
  readonly bytes: number;
}

/** A part of a text that may hold others. @param close stands after them @param between stands between two of them */
export function part(open: string, { close = '', between = '' }: { close?: string; between?: string } = {}): Part {
  return { open, close, between, bytes: utf8Bytes(open) + utf8Bytes(close) };
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
    this.#root = { part: part('', { between }), children: new Map() };
    this.#bytesLeft = maxBytes;
  }

  /**
   * Adds the last part of a path, with those around it that are not there yet. Parts that open alike are one.
   * @returns false when that does not fit, and the text is as it was
   */
  add(path: readonly Part[]): boolean {
    const bytesLeft = this.room(path);
    if (bytesLeft < 0) return false;
    this.#bytesLeft = bytesLeft;
    let node = this.#root;
    for (const part of path) {
      let child = node.children.get(part.open);
      if (child === undefined) node.children.set(part.open, (child = { part, children: new Map() }));
      node = child;
    }
    return true;
  }

  /** Keeps room for a text that is no part of this one. @returns false when there is none */
  keep(text: string): boolean {
    const bytes = utf8Bytes(text);
    if (bytes > this.#bytesLeft) return false;
    this.#bytesLeft -= bytes;
    return true;
  }

  /** How many bytes would be left if the path were added, less than none when it does not fit. */
  room(path: readonly Part[]): number {
    let node: Node | undefined = this.#root;
    let bytesLeft = this.#bytesLeft;
    for (const part of path) {
      const child: Node | undefined = node?.children.get(part.open);
      if (child === undefined)
        bytesLeft -= part.bytes + (node === undefined || node.children.size === 0 ? 0 : utf8Bytes(node.part.between));
      node = child;
    }
    return bytesLeft;
  }

  toString(): string {
    return textOf(this.#root);
  }
}

function textOf({ part: { open, close, between }, children }: Node): string {
  return `${open}${[...children.values()].map(textOf).join(between)}${close}`;
}
