// How much work a pattern is, counted and not timed: a count is the same on every machine, however busy it is.

/** Tries to go on from a place in the text. */
type Match = (at: number) => boolean;

/** How many units of the text stand there for it; -1 when it does not fit. */
type Take = (at: number) => number;

interface Run {
  text: string;
  steps: number;
}

/** The longest text that a lookbehind of the patterns here can take. */
const MAX_LOOKBEHIND = 16;

const ATOM = /\\p\{[^}]*\}|\\u\{[^}]*\}|\\u[\da-f]{4}|\\x[\da-f]{2}|\\.|\[(?:\\.|[^\]\\])*\]|[\s\S]/iy;
const QUANTIFIER = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/y;
const OPENING = /\((?:\?(?::|<?[=!]|<\w+>))?/y;

/**
 * A pattern as a matcher that goes back over each choice, as those of the engines do, and counts the characters that it looks at. It
 * knows what the patterns here are made of: groups that references name hold no other groups, and nothing repeats that can be empty.
 */
class Matcher {
  readonly #source: string;
  readonly #flags: string;
  readonly #run: Run;
  #at = 0;

  constructor({ source, flags }: RegExp, run: Run) {
    // A reference to a group is taken for the group again: at least as much fits.
    const groups = [...source.matchAll(/\((?!\?)([^()]*)\)/g)];
    this.#source = source.replaceAll(/\\([1-9])/g, (_, n: string) => `(?:${groups[Number(n) - 1]![1]!})`);
    this.#flags = flags.replaceAll(/[gy]/g, '');
    this.#run = run;
  }

  compile(): Match {
    return this.#choices()(() => true);
  }

  /** Alternatives up to the end of the group. @returns what makes a matcher of what comes after */
  #choices(): (next: Match) => Match {
    const all = [this.#sequence()];
    while (this.#source[this.#at] === '|') {
      this.#at += 1;
      all.push(this.#sequence());
    }
    if (all.length === 1) return all[0]!;
    return (next) => {
      const matches = all.map((one) => one(next));
      return (at) => matches.some((match) => match(at));
    };
  }

  #sequence(): (next: Match) => Match {
    const parts: ((next: Match) => Match)[] = [];
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!)) parts.push(this.#quantified());
    return (next) => parts.reduceRight((after, part) => part(after), next);
  }

  #read(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (found !== null) this.#at += found[0].length;
    return found;
  }

  #quantified(): (next: Match) => Match {
    const opening = this.#read(OPENING);
    const take = opening === null ? this.#atom() : null;
    const part = take === null ? this.#group(opening![0]) : once(take);
    const found = this.#read(QUANTIFIER);
    if (found === null) return part;
    const [, sign, least, comma, most] = found;
    const min = sign === undefined ? Number(least) : sign === '+' ? 1 : 0;
    const max = sign === undefined ? (comma === undefined ? min : Number(most || Infinity)) : sign === '?' ? 1 : Infinity;
    return (next) => {
      let match = next;
      if (max === Infinity) match = take === null ? endless(part, next) : endlessAtom(take, next);
      // Greedy or not: a search that fails has tried all of them.
      else for (let i = min; i < max; i += 1) match = optional(part(match), next);
      for (let i = 0; i < min; i += 1) match = part(match);
      return match;
    };
  }

  #group(opening: string): (next: Match) => Match {
    const inner = this.#choices();
    // The closing bracket.
    this.#at += 1;
    if (!/[=!]$/.test(opening)) return inner;
    const isWanted = opening.endsWith('=');
    if (!opening.includes('<')) {
      const ahead = inner(() => true);
      return (next) => (at) => ahead(at) === isWanted && next(at);
    }
    let end = 0;
    const behind = inner((at) => at === end);
    const stands = (at: number): boolean => {
      end = at;
      for (let from = at; from >= Math.max(0, at - MAX_LOOKBEHIND); from -= 1) if (behind(from)) return true;
      return false;
    };
    return (next) => (at) => stands(at) === isWanted && next(at);
  }

  /** One character, or a place between two. @returns how many units it takes; -1 when it does not fit */
  #atom(): Take {
    const [source] = this.#read(ATOM)!;
    const run = this.#run;
    const native = new RegExp(source, `${this.#flags}y`);
    const isPlace = /^(?:\^|\$|\\[bB])$/.test(source);
    const known = new Map<number, boolean>();
    return (at) => {
      run.steps += 1;
      if (isPlace) {
        native.lastIndex = at;
        return native.test(run.text) ? 0 : -1;
      }
      const code = run.text.codePointAt(at);
      if (code === undefined) return -1;
      let fits = known.get(code);
      if (fits === undefined) {
        native.lastIndex = 0;
        known.set(code, (fits = native.test(String.fromCodePoint(code))));
      }
      if (!fits) return -1;
      return code > 0xffff ? 2 : 1;
    };
  }
}

function once(take: Take): (next: Match) => Match {
  return (next) => (at) => {
    const taken = take(at);
    return taken >= 0 && next(at + taken);
  };
}

function optional(match: Match, next: Match): Match {
  return (at) => match(at) || next(at);
}

function endless(part: (next: Match) => Match, next: Match): Match {
  const again: Match = part((at) => again(at) || next(at));
  return optional(again, next);
}

/** The same without a call for each character: a text is longer than the stack is deep. */
function endlessAtom(take: Take, next: Match): Match {
  return (at) => {
    const ends = [at];
    for (let taken = take(at); taken > 0; taken = take(ends.at(-1)!)) ends.push(ends.at(-1)! + taken);
    return ends.reverse().some((end) => next(end));
  };
}

/** How many characters a search for every match looks at, at most: an engine may know of shorter ways. */
export function regexpSteps(pattern: RegExp): (text: string) => number {
  const run: Run = { text: '', steps: 0 };
  const match = new Matcher(pattern, run).compile();
  return (text) => {
    run.text = text;
    run.steps = 0;
    for (let at = 0; at <= text.length; at += 1) match(at);
    return run.steps;
  };
}

/** The beginning, so long, of a text that is the same part over and over. */
export function repeated(part: string, length: number): string {
  return part.repeat(Math.ceil(length / part.length)).slice(0, length);
}
