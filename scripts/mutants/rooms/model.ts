import type { Room } from '../mutant.ts';

const at = (path: string): string => `packages/model/src/${path}`;
/** What JSON holds as it is, of models and of tools. */
const PLAIN_JSON = 'packages/core/src/session/plain-json.ts';
const ANTHROPIC = [at('anthropic/anthropic-model.live.test.ts')];
const HOSTILE = [at('anthropic/hostile-server.live.test.ts'), ...ANTHROPIC];

/** Answers of models, which may be anybody's code, and of servers, which may be anybody's too. */
export const MODEL: Room = {
  room: 'model',
  mutants: [
    {
      name: 'tokens-without-end',
      what: 'A model that counts nonsense would spoil the sums of its session.',
      file: at('check-response.ts'),
      find: 'tokens <= MAX_TOKENS',
      replace: 'tokens >= 0',
      tests: [at('check-response.test.ts')],
    },
    {
      name: 'input-that-is-no-json',
      what: 'A call whose input JSON cannot hold would be recorded as another one.',
      file: PLAIN_JSON,
      find: 'if (prototype !== Object.prototype && prototype !== null) return false;',
      replace: '',
      tests: [at('check-response.test.ts')],
    },
    {
      name: 'input-nested-too-deep',
      what: 'A call would be answered for, and its event refused.',
      file: PLAIN_JSON,
      find: 'if (depth >= MAX_JSON_DEPTH) return false;',
      replace: '',
      tests: [at('check-response.test.ts')],
    },
    {
      name: 'overload-is-asked-again',
      what: 'A request would fail for good when the service is overloaded for a moment.',
      file: at('error-retry.ts'),
      find: "  'model_overloaded',\n",
      replace: '',
      tests: [at('error-retry.test.ts')],
    },
    {
      name: 'wait-that-a-service-asks-for',
      what: 'A service that asks for a minute would be asked again at once.',
      file: at('error-retry.ts'),
      find: 'Math.min(options.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS)',
      replace: 'Math.min(0, MAX_RETRY_AFTER_MS)',
      tests: [at('error-retry.test.ts')],
    },
    {
      name: 'wait-without-end',
      what: 'A service that asks for a day would be waited for.',
      file: at('error-retry.ts'),
      find: 'Math.min(options.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS)',
      replace: '(options.retryAfterMs ?? 0)',
      tests: [at('error-retry.test.ts')],
    },
    {
      name: 'marks-of-what-is-graded',
      what: 'An attempt could end its block and tell the grader what to score.',
      file: at('grading.ts'),
      find: '.update(JSON.stringify([rubric, task, attempt]))',
      replace: '.update(rubric)',
      tests: [at('grading.test.ts')],
    },
    {
      name: 'criterion-scored-twice',
      what: 'The last of two scores would count.',
      file: at('grading.ts'),
      find: 'if (graded.has(score.id)) throw protocolError(`The grader scored ${score.id} twice`, score);',
      replace: '',
      tests: [at('grading.test.ts')],
    },
    {
      name: 'stream-that-ends-early',
      what: 'Half an answer would be taken for the whole.',
      file: at('anthropic/message-reader.ts'),
      find: "if (!this.#whole) throw protocolError('The stream ended before the message did');",
      replace: '',
      tests: HOSTILE,
    },
    {
      name: 'answer-without-end',
      what: 'A server could fill the memory with one answer.',
      file: at('anthropic/message-reader.ts'),
      find: 'if (this.#size > MAX_ANSWER_BYTES) throw answerTooLarge();',
      replace: '',
      tests: HOSTILE,
    },
    {
      name: 'key-in-an-error',
      what: 'The API key would stand in the log when the server repeats it.',
      file: at('anthropic/error-mapping.ts'),
      find: ".replaceAll(apiKey, '[API key]')",
      replace: '',
      tests: HOSTILE,
    },
    {
      name: 'overload-by-its-status',
      what: 'Status 529 would be an error of the request, which is not asked again.',
      file: at('anthropic/error-mapping.ts'),
      find: "if (status === 529) return 'model_overloaded';",
      replace: '',
      tests: ANTHROPIC,
    },
  ],
};
