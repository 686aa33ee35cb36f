/** Values that no caller means, one of each kind. Made anew for each call, so that none can spoil the next. */
export const ODD = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  NaN: () => Number.NaN,
  'a number below 0': () => -1,
  'a broken number': () => 0.5,
  'a huge number': () => 1e308,
  'an empty text': () => '',
  'a blank': () => ' ',
  'a letter': () => 'x',
  'a number as text': () => '5',
  'a long text': () => 'x'.repeat(10_240),
  'half a character': () => '\ud800',
  'a text with NUL': () => 'a\0b',
  'a symbol': () => Symbol('odd'),
  'a bigint': () => 10n,
  'a function': () => () => 1,
  'a class': () =>
    class Odd {
      readonly is = 'odd';
    },
  'an empty list': () => [],
  'a list of lists': () => [[[]]],
  'an empty object': () => ({}),
  'an object without prototype': () => Object.create(null) as unknown,
  'a cycle': () => {
    const cycle: Record<string, unknown> = {};
    cycle['cycle'] = cycle;
    return cycle;
  },
  'a date': () => new Date(Number.NaN),
  'a Map': () => new Map([['name', 'x']]),
  'a promise': () => Promise.resolve({}),
  'an error': () => new Error('odd'),
  'a getter that throws': () => ({
    get name(): never {
      throw new TypeError('read');
    },
    get store(): never {
      throw new TypeError('read');
    },
  }),
  'a proxy that throws': () => {
    const no = (): never => {
      throw new TypeError('touched');
    };
    return new Proxy({}, { get: no, has: no, ownKeys: no, getOwnPropertyDescriptor: no, getPrototypeOf: no, set: no });
  },
} as const satisfies Record<string, () => unknown>;

export type OddName = keyof typeof ODD;

const ALL = Object.keys(ODD) as OddName[];

/** What an argument, or a field of one, may take of the odd values, and why that is right. */
export interface Kind {
  takes: readonly OddName[];
  because: string;
}

const TEXTS: readonly OddName[] = ['a blank', 'a letter', 'a number as text', 'a long text', 'half a character', 'a text with NUL'];
/** All that an object of options with nothing in it is. */
const EMPTY_OBJECTS: readonly OddName[] = ['an empty object', 'an object without prototype'];

export const TEXT: Kind = { takes: TEXTS, because: 'it is some text' };
export const ANY_TEXT: Kind = { takes: [...TEXTS, 'an empty text'], because: 'it may be empty' };
export const NUMBER: Kind = { takes: ['a number below 0', 'a broken number', 'a huge number'], because: 'it is a number' };
export const CODE: Kind = { takes: ['a function'], because: 'only a call shows what a function does' };
export const FLAG: Kind = { takes: ['true'], because: 'it is true or false' };
export const EMPTY_LIST: Kind = { takes: ['an empty list'], because: 'it may hold nothing' };
export const OPTIONS: Kind = { takes: [...EMPTY_OBJECTS, 'undefined'], because: 'every option may be left out' };
export const ANYTHING: Kind = { takes: ALL, because: 'whatever it is, the result says what is wrong with it' };
export const NEVER: Kind = { takes: [], because: '' };
export const orNone = (kind: Kind): Kind => ({ takes: [...kind.takes, 'undefined'], because: `${kind.because}, and may be left out` });
export const either = (...kinds: Kind[]): Kind => ({
  takes: kinds.flatMap(({ takes }) => takes),
  because: kinds.map(({ because }) => because).join(', or '),
});
