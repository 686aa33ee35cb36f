// Every export of this package, and every method of what it returns, against every kind of odd value: each is taken for a reason that is
// listed here, or refused by a named error that says what to do. An export or a method without a line here fails.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { z } from 'zod';
import * as api from './index.ts';
import { describeDoors, methodsOf, none, options, value, type Door } from './testing/door.ts';
import { ANY_TEXT, ANYTHING, CODE, either, EMPTY_LIST, FLAG, NEVER, NUMBER, OPTIONS, orNone, TEXT } from './testing/odd-values.ts';

const { agent, isDreamfoldError, open, rubric, scripted, tool } = api;

const directory = mkdtempSync(join(tmpdir(), 'dreamfold-door-'));
const df = await open();
const lead = agent({ name: 'lead', system: '' });
const graded = rubric({ criteria: [{ id: 'good', ask: 'Is it?', check: () => true }] });
await df.memory.create({ name: 'desk', description: '', approval: 'manual' }, 'person:ann');
const session = await df.run(lead, 'Begin.');
await session.done();
const { id } = session;
/** A session that is taken over again and again. */
const resumed = await df.submit(lead, 'Begin.');
afterAll(async () => {
  await df.close();
  rmSync(directory, { recursive: true });
});

/** A stream of results shows what it thinks of its arguments when it is first read. */
async function first(results: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of results) return;
}

const sessionId = value(id, NEVER);
const store = value('desk', NEVER);
const progress = [() => {}, orNone(CODE)] as const;
const constitution = [[{ name: 'never', check: () => null }], orNone(EMPTY_LIST)] as const;
const feedback = options({
  judges: ['sevt_x', NEVER],
  verdict: ['right', NEVER],
  right_answer: [{ queue: 'x' }, NEVER],
  reason: ['So.', NEVER],
  by: ['desk', NEVER],
});
const skipped = options({ event: ['sevt_x', NEVER], reason: ['So.', NEVER], by: ['ann', NEVER] });
const judgement = options({ criterion: ['good', NEVER], score: [1, NEVER], reason: ['So.', NEVER], by: ['ann', NEVER] });
const runOptions = options(
  {
    principal: ['acme', either(orNone(TEXT))],
    title: ['A title', orNone(ANY_TEXT)],
    rubric: [graded, orNone(NEVER)],
    caps: [{ turns: 3 }, OPTIONS],
    memory: [['desk'], orNone(EMPTY_LIST)],
  },
  OPTIONS,
);
const goodTool = tool({ name: 'look', description: '', input: z.object({}), run: () => '' });
const EXPORTS: Record<keyof typeof api, Door> = {
  DreamfoldError: {
    args: [value('not_found', ANYTHING), value('Words', ANYTHING), value({ remedy: 'Do.' }, ANYTHING)],
    call: (code: never, message: never, details: never) => new api.DreamfoldError(code, message, details),
  },
  isDreamfoldError: { args: [value(new Error('x'), ANYTHING), value('not_found', ANYTHING)], call: isDreamfoldError },
  textOf: { args: [value([{ type: 'text', text: 'x' }], orNone(EMPTY_LIST))], call: api.textOf },
  blocks: {
    args: [
      value([{ type: 'text', text: 'x' }], {
        takes: ['a letter', 'a number as text', 'a long text', 'half a character', 'a text with NUL'],
        because: 'text is content',
      }),
    ],
    call: api.blocks,
  },
  examine: {
    args: [
      options({
        directory: [
          '/nowhere',
          { takes: ['a blank', 'a letter', 'a number as text', 'a long text', 'half a character'], because: 'it is a name' },
        ],
        log: ['kafka://127.0.0.1:1/x', orNone(NEVER)],
      }),
    ],
    call: api.examine,
  },
  readChoices: { args: [{ ...options({ messages: [[], EMPTY_LIST] }), isLoose: true }], call: api.readChoices },
  scripted: { args: [value(() => 'x', orNone(CODE))], call: scripted },
  anthropic: {
    args: [
      options({
        apiKey: ['key', TEXT],
        baseURL: ['http://localhost:1', orNone(NEVER)],
        timeoutMs: [5, orNone(NUMBER)],
        price: [{ input: 1, output: 1, cacheRead: 1, cacheWrite: 1 }, orNone(NEVER)],
        cache: [true, orNone(FLAG)],
        thinking: ['adaptive', orNone(NEVER)],
      }),
    ],
    call: api.anthropic,
  },
  forbiddenPhrase: { args: [value('never', TEXT)], call: api.forbiddenPhrase },
  verdictError: {
    args: [value([{ gate: 'shape', pass: true, reason: '' }], EMPTY_LIST), value('Do.', ANYTHING)],
    call: api.verdictError,
  },
  checkImport: {
    args: [
      options({ file: ['nope.jsonl', NEVER], format: ['messages', NEVER], agent: ['a', NEVER], model: ['m', NEVER], onProgress: progress }),
      value(null, NEVER),
    ],
    call: api.checkImport,
    ends: 'not_found',
  },
  loadConstitution: { args: [value('nope.json', NEVER)], call: api.loadConstitution, ends: 'not_found' },
  operator: none(() => api.operator()),
  cursorAtStart: { args: [value(1, NEVER)], call: api.cursorAtStart },
  agent: {
    args: [
      options({
        name: ['desk', { takes: ['a letter', 'a number as text'], because: 'it is a name' }],
        description: ['', orNone(ANY_TEXT)],
        system: ['', ANY_TEXT],
        model: ['scripted', orNone(TEXT)],
        tools: [[goodTool], orNone(EMPTY_LIST)],
        team: [[], orNone(EMPTY_LIST)],
        maxTokens: [5, orNone(NEVER)],
        contextWindow: [5, orNone(NEVER)],
      }),
    ],
    call: agent,
  },
  tool: {
    args: [
      options({
        name: ['look', { takes: ['a letter', 'a number as text'], because: 'it is a name' }],
        description: ['', ANY_TEXT],
        input: [z.object({}), NEVER],
        run: [() => '', CODE],
        effect: ['pure', orNone(NEVER)],
        policy: ['deny', orNone(NEVER)],
        timeoutMs: [5, orNone(NEVER)],
      }),
    ],
    call: tool,
  },
  rubric: {
    args: [
      options({
        text: ['', orNone(ANY_TEXT)],
        criteria: [[{ id: 'good', ask: 'Is it?', check: () => true }], NEVER],
        passScore: [1, orNone({ takes: ['a broken number'], because: 'it is a part of 1' })],
        maxIterations: [3, orNone(NEVER)],
      }),
    ],
    call: rubric,
  },
  checkRun: {
    args: [
      value(lead, NEVER),
      value('Begin.', TEXT),
      options(
        { models: [{ own: scripted() }, OPTIONS], rubric: [graded, orNone(NEVER)], principal: ['acme', either(orNone(TEXT))] },
        OPTIONS,
      ),
    ],
    call: api.checkRun,
  },
  open: {
    args: [
      options(
        {
          directory: [
            join(directory, 'data'),
            { takes: ['undefined', 'a blank', 'a letter', 'a number as text', 'half a character'], because: 'it is a name' },
          ],
          readOnly: [false, orNone(FLAG)],
          mustExist: [false, orNone(FLAG)],
          durability: ['process', orNone(NEVER)],
          acceptHead: [false, orNone(FLAG)],
          acceptNewLog: [false, orNone(FLAG)],
          replica: [undefined, orNone(NEVER)],
          models: [{ own: scripted() }, OPTIONS],
          log: [undefined, orNone(NEVER)],
          onProgress: progress,
          onNotice: progress,
          dreams: [{ store: 'desk' }, orNone(NEVER)],
          onDream: progress,
        },
        OPTIONS,
      ),
    ],
    call: async (given: never) => {
      const opened = await open(inDirectory(given));
      await opened.close();
    },
  },
  repair: {
    args: [
      options({
        log: ['kafka://127.0.0.1:1/p', NEVER],
        replica: ['nope', NEVER],
        directory: [
          undefined,
          { takes: ['undefined', 'a blank', 'a letter', 'a number as text', 'half a character'], because: 'nothing is kept there before' },
        ],
        onProgress: progress,
      }),
    ],
    call: api.repair,
    ends: 'not_found',
  },
};

const DREAMFOLD: Record<string, Door> = {
  run: {
    args: [value(lead, NEVER), value('Begin.', TEXT), runOptions],
    call: async (...args: Parameters<typeof df.run>) => (await df.run(...args)).done(),
  },
  submit: {
    args: [value(lead, NEVER), value('Begin.', TEXT), runOptions],
    call: (...args: Parameters<typeof df.submit>) => df.submit(...args),
  },
  resume: {
    args: [value(lead, NEVER), value(resumed, NEVER), options({ rubric: [graded, orNone(NEVER)] }, OPTIONS)],
    call: async (...args: Parameters<typeof df.resume>) => (await df.resume(...args)).done(),
  },
  work: {
    args: [
      options({
        teams: [[{ lead, rubric: graded }], EMPTY_LIST],
        concurrency: [3, orNone(NEVER)],
        onNews: progress,
        signal: [new AbortController().signal, orNone(NEVER)],
      }),
    ],
    call: async (given: Parameters<typeof df.work>[0]) => {
      const own = await open();
      const working = own.work(given);
      await Promise.race([working.catch(() => {}), sleep(20)]);
      await own.close();
      return working;
    },
  },
  session: { args: [sessionId, value(2, orNone(NEVER))], call: (...args: Parameters<typeof df.session>) => df.session(...args) },
  sessions: none(() => first(df.sessions())),
  findSessions: {
    args: [value('sesn_', ANY_TEXT), value(5, NEVER)],
    call: (...args: Parameters<typeof df.findSessions>) => df.findSessions(...args),
  },
  erase: {
    args: [
      value('session/none', TEXT),
      options({ seqs: [[1], orNone(EMPTY_LIST)], ids: [['sevt_x'], orNone(EMPTY_LIST)], reason: ['So.', TEXT], by: ['ann', orNone(TEXT)] }),
    ],
    call: (...args: Parameters<typeof df.erase>) => df.erase(...args),
  },
  events: { args: [sessionId], call: async (given: string) => first(df.events(given)) },
  feedback: { args: [sessionId, feedback], call: (...args: Parameters<typeof df.feedback>) => df.feedback(...args), ends: 'not_found' },
  skip: { args: [sessionId, skipped], call: (...args: Parameters<typeof df.skip>) => df.skip(...args), ends: 'invalid_argument' },
  dream: {
    args: [
      options({
        store: ['desk', NEVER],
        sessions: [[id], orNone(EMPTY_LIST)],
        constitution,
        suggestions: [[], ANYTHING],
        thorough: [true, orNone(FLAG)],
        onProgress: progress,
        without: [[], orNone(EMPTY_LIST)],
      }),
    ],
    call: (given: never) => df.dream(given),
  },
  editProposal: {
    args: [
      store,
      value('patch_x', NEVER),
      options({ text: ['x', NEVER], by: ['ann', NEVER], note: ['', NEVER], constitution: [[], NEVER], apply: [true, NEVER] }),
    ],
    call: (...args: Parameters<typeof df.editProposal>) => df.editProposal(...args),
    ends: 'not_found',
  },
  keepDreaming: {
    args: [
      options({
        rules: [[{ store: 'desk' }], NEVER],
        once: [true, orNone(FLAG)],
        onDream: progress,
        signal: [new AbortController().signal, orNone(NEVER)],
      }),
    ],
    call: async (given: Parameters<typeof df.keepDreaming>[0]) => {
      const own = await open();
      await own.memory.create({ name: 'desk', description: '', approval: 'manual' }, 'person:ann');
      const dreaming = own.keepDreaming(given);
      await Promise.race([dreaming.catch(() => {}), sleep(20)]);
      await own.close();
      return dreaming;
    },
  },
  send: { args: [sessionId, value('More.', TEXT)], call: (...args: Parameters<typeof df.send>) => df.send(...args) },
  confirm: {
    args: [
      sessionId,
      options({ toolUseId: ['sevt_x', NEVER], result: ['allow', NEVER], message: ['', NEVER], callHash: ['', NEVER], by: ['ann', NEVER] }),
    ],
    call: (...args: Parameters<typeof df.confirm>) => df.confirm(...args),
    ends: 'approval_not_found',
  },
  judge: { args: [sessionId, judgement], call: (...args: Parameters<typeof df.judge>) => df.judge(...args), ends: 'not_found' },
  interrupt: {
    args: [sessionId, value(undefined, orNone(NEVER))],
    call: (...args: Parameters<typeof df.interrupt>) => df.interrupt(...args),
  },
  import: {
    args: [
      options({ file: ['nope.jsonl', NEVER], format: ['messages', NEVER], agent: ['a', NEVER], model: ['m', NEVER], onProgress: progress }),
    ],
    call: (given: never) => df.import(given),
    ends: 'not_found',
  },
  export: {
    args: [
      options(
        { sessions: [[id], orNone(EMPTY_LIST)], allowMissing: [true, orNone(FLAG)], onMissing: progress, onProgress: progress },
        OPTIONS,
      ),
    ],
    call: async (given: never) => first(df.export(given)),
  },
  verifyRequests: {
    args: [sessionId, value(2, orNone(NEVER))],
    call: (...args: Parameters<typeof df.verifyRequests>) => df.verifyRequests(...args),
  },
  command: { args: [sessionId, value(() => [], NEVER)], call: (...args: Parameters<typeof df.command>) => df.command(...args) },
  verifySession: { args: [sessionId], call: (given: string) => df.verifySession(given) },
  processor: none(() => df.processor()),
  lock: none(() => df.lock()),
  close: none(async () => (await open()).close()),
};

const SESSION: Record<string, Door> = {
  on: { args: [value('event', NEVER), value(() => {}, CODE)], call: (...args: [never, never]) => session.on(...args)() },
  send: {
    args: [value('More.', TEXT), options({ ifBusy: ['queue', orNone(NEVER)], idempotencyKey: ['key', orNone(TEXT)] }, OPTIONS)],
    call: (...args: Parameters<typeof session.send>) => session.send(...args),
  },
  interrupt: { args: [value(undefined, orNone(NEVER))], call: (given: never) => session.interrupt(given) },
  approve: {
    args: [value('sevt_x', NEVER), options({ callHash: ['', NEVER], by: ['ann', NEVER] })],
    call: (...args: Parameters<typeof session.approve>) => session.approve(...args),
    ends: 'approval_not_found',
  },
  deny: {
    args: [value('sevt_x', NEVER), options({ callHash: ['', NEVER], by: ['ann', NEVER], message: ['', NEVER] })],
    call: (...args: Parameters<typeof session.deny>) => session.deny(...args),
    ends: 'approval_not_found',
  },
  judge: { args: [judgement], call: (given: never) => session.judge(given), ends: 'not_found' },
  feedback: { args: [feedback], call: (given: never) => session.feedback(given), ends: 'not_found' },
  done: none(() => session.done()),
  changed: none(async () => {
    const changed = session.changed();
    await session.send('More.');
    return changed;
  }),
};

const DREAMS: Record<string, Door> = {
  dream: DREAMFOLD['dream']!,
  load: { args: [value('drm_x', TEXT)], call: (given: never) => df.dreams.load(given) },
  list: none(() => df.dreams.list()),
  cancel: {
    args: [value('drm_x', NEVER), options({ by: ['ann', NEVER], reason: ['', NEVER] })],
    call: (...args: Parameters<typeof df.dreams.cancel>) => df.dreams.cancel(...args),
    ends: 'not_found',
  },
};

/** A directory with an odd name stands in the one of this test. */
function inDirectory(given: api.OpenOptions): api.OpenOptions {
  try {
    const { directory: name } = given;
    if (typeof name !== 'string' || name === '' || name.startsWith(directory)) return given;
    return { ...given, directory: join(directory, name) };
  } catch {
    return given;
  }
}

describeDoors('dreamfold', EXPORTS, Object.keys(api));
describeDoors('Dreamfold', DREAMFOLD, methodsOf(df));
describeDoors('Session', SESSION, methodsOf(session));
describeDoors('dreams', DREAMS, methodsOf(df.dreams));
