/** A JSON value that knows at which offset of the text it stands. */
export interface JsonNode {
  at: number;
  value: unknown;
  /** Set on an array. */
  items?: readonly JsonNode[];
  /** Set on an object. */
  members?: ReadonlyMap<string, JsonMember>;
}

export interface JsonMember {
  keyAt: number;
  node: JsonNode;
}

/** Broken JSON, at an offset of the text. Internal: callers turn it into an error with a column. */
export class JsonSyntaxError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const MAX_DEPTH = 64;
const LITERALS = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/**
 * Reads the one JSON value that fills `text` from `start` on. JSON.parse would do, if its errors named a position
 * (not all do) and if the values that it gives knew theirs.
 * @throws JsonSyntaxError also for duplicate keys, NUL and halves of surrogate pairs, and a depth over 64
 */
export function readJson(text: string, start: number): JsonNode {
  const reader = new JsonReader(text, start);
  const node = reader.value(0);
  reader.end();
  return node;
}

class JsonReader {
  readonly #text: string;
  #at: number;

  constructor(text: string, start: number) {
    this.#text = text;
    this.#at = start;
  }

  value(depth: number): JsonNode {
    const next = this.#peek();
    const at = this.#at;
    if (next === undefined) throw new JsonSyntaxError('the line ends here, before the JSON does', at);
    if (depth > MAX_DEPTH) throw new JsonSyntaxError(`nested more than ${MAX_DEPTH} deep`, at);
    if (next === '[') return this.#array(at, depth);
    if (next === '{') return this.#object(at, depth);
    if (next === '"') return { at, value: this.#string() };
    return { at, value: this.#scalar() };
  }

  end(): void {
    if (this.#peek() !== undefined) throw new JsonSyntaxError('nothing may follow the closing bracket on this line', this.#at);
  }

  #array(at: number, depth: number): JsonNode {
    const items: JsonNode[] = [];
    this.#at += 1;
    if (this.#peek() === ']') this.#at += 1;
    else {
      do items.push(this.value(depth + 1));
      while (this.#more(']'));
    }
    return { at, value: items.map((item) => item.value), items };
  }

  #object(at: number, depth: number): JsonNode {
    const members = new Map<string, JsonMember>();
    this.#at += 1;
    if (this.#peek() === '}') this.#at += 1;
    else {
      do this.#member(members, depth);
      while (this.#more('}'));
    }
    return { at, value: Object.fromEntries([...members].map(([key, member]) => [key, member.node.value])), members };
  }

  #member(members: Map<string, JsonMember>, depth: number): void {
    const next = this.#peek();
    const keyAt = this.#at;
    if (next !== '"') throw new JsonSyntaxError(`expected a key in double quotes${this.#found()}`, keyAt);
    const key = this.#string();
    if (members.has(key)) throw new JsonSyntaxError(`the key ${JSON.stringify(key)} stands here twice`, keyAt);
    if (this.#peek() !== ':') throw new JsonSyntaxError(`expected ":"${this.#found()}`, this.#at);
    this.#at += 1;
    members.set(key, { keyAt, node: this.value(depth + 1) });
  }

  /** After a value: true at a comma, false at the closing bracket. */
  #more(close: string): boolean {
    const next = this.#peek();
    if (next !== ',' && next !== close) throw new JsonSyntaxError(`expected "," or "${close}"${this.#found()}`, this.#at);
    this.#at += 1;
    return next === ',';
  }

  #string(): string {
    const start = this.#at;
    for (this.#at += 1; this.#text[this.#at] !== '"'; this.#at += 1) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code)) throw new JsonSyntaxError('the line ends inside the text that begins here', start);
      if (code < 0x20) throw new JsonSyntaxError('a control character inside text must be escaped', this.#at);
      if (code === 0x5c) this.#escape();
    }
    this.#at += 1;
    const value = JSON.parse(this.#text.slice(start, this.#at)) as string;
    if (!value.isWellFormed() || value.includes('\u0000')) {
      throw new JsonSyntaxError('the text that begins here holds a NUL or half of a surrogate pair', start);
    }
    return value;
  }

  #escape(): void {
    const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
    escape.lastIndex = this.#at;
    const found = escape.exec(this.#text);
    if (found === null) throw new JsonSyntaxError('not an escape that JSON knows', this.#at);
    this.#at += found[0].length - 1;
  }

  #scalar(): unknown {
    const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y;
    scalar.lastIndex = this.#at;
    const found = scalar.exec(this.#text)?.[0];
    if (found === undefined) throw new JsonSyntaxError(`expected a JSON value${this.#found()}`, this.#at);
    this.#at += found.length;
    return LITERALS.has(found) ? LITERALS.get(found) : Number(found);
  }

  /** The next character that is not blank, undefined at the end. */
  #peek(): string | undefined {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at += 1;
    return this.#text[this.#at];
  }

  #found(): string {
    const character = this.#text[this.#at];
    return character === undefined ? ', but the line ends here' : `, found ${JSON.stringify(character)}`;
  }
}
