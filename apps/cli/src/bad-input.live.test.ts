import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { open, type Dreamfold } from 'dreamfold';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DESK, PROGRAM, REFUND, Workspace } from './testing/dreamfold-process.ts';

const workspace = new Workspace();
let id = '';
/** Of a session that has called a tool, and of the call. */
let found = '';
let call = '';
let holder: Dreamfold;

/** [what, arguments, error code, exit code, pattern of path or message]; SESSION stands for the id of a session, FOUND for one with a CALL. */
type Case = [what: string, args: string[], code: string, exit: number, says: RegExp];

const FIND = '@script [{"tool":"find","input":{"order":"7"}},{"say":"It is there."}]';
const NEVER = ['--data', 'never'];
const MESSAGES = ['--format', 'messages', ...NEVER];
const EXPORT = ['--format', 'dreamfold', ...NEVER];

const ARGUMENTS: Case[] = [
  ['no command', [], 'invalid_argument', 2, /No command/],
  ['an unknown command', ['shwo'], 'invalid_argument', 2, /unknown command 'shwo'/],
  ['an unknown option', ['sessions', '--newest'], 'invalid_argument', 2, /unknown option '--newest'/],
  ['an argument too many', ['verify', 'everything'], 'invalid_argument', 2, /too many arguments/],
  ['an argument too few', ['run', 'desk.ts'], 'invalid_argument', 2, /missing required argument 'task'/],
  ['a number that is none', ['sessions', '--limit', 'ten'], 'invalid_argument', 2, /whole number from 1/],
  ['a number too small', ['sessions', '--limit', '0'], 'invalid_argument', 2, /whole number from 1/],
  ['an option without its value', ['run', 'desk.ts', 'x', '--model'], 'invalid_argument', 2, /argument missing/],
  ['an unknown format', ['import', 'x', '--format', 'csv'], 'invalid_argument', 2, /messages, tau-bench, dreamfold/],
  ['no format', ['import', 'x'], 'invalid_argument', 2, /--format/],
  ['a cap that is none', ['run', 'desk.ts', 'x', '--caps', 'cups=3'], 'invalid_argument', 2, /cups/],
  ['a cap without a value', ['run', 'desk.ts', 'x', '--caps', 'turns'], 'invalid_argument', 2, /name=value/],
  [
    'a negative cap',
    ['run', 'desk.ts', 'x', '--caps', 'tokens=-1'],
    'invalid_argument',
    2,
    /tokens is -1, and has to be a number from 0 on/,
  ],
  ['a cap below its least', ['run', 'desk.ts', 'x', '--caps', 'turns=0'], 'invalid_argument', 2, /turns/],
  ['--at without a session', ['replay', '--at', '3'], 'invalid_argument', 2, /--at needs a session/],
  ['--json of an export to stdout', ['export'], 'invalid_argument', 2, /one document/],
  ['a score above 1', ['grade', 'SESSION', 'tone', '2', '--reason', 'x'], 'invalid_argument', 2, /from 0 to 1/],
  ['a verdict that is none', ['feedback', 'SESSION', 'e', '--by', 'x', '--verdict', 'maybe'], 'invalid_argument', 2, /right, wrong/],
  [
    'a right answer that is not JSON',
    ['feedback', 'SESSION', 'e', '--by', 'x', '--verdict', 'wrong', '--right-answer', '{'],
    'invalid_json',
    2,
    /--right-answer/,
  ],
  [
    'a right answer that is no object',
    ['feedback', 'SESSION', 'e', '--by', 'x', '--verdict', 'wrong', '--right-answer', '[1]'],
    'invalid_argument',
    2,
    /--right-answer/,
  ],
  [
    'a class of labellers that is none',
    ['feedback', 'SESSION', 'e', '--by', 'x', '--verdict', 'right', '--class', 'boss'],
    'invalid_argument',
    2,
    /desk, person/,
  ],
  [
    'a principal with an invisible letter',
    ['run', 'desk.ts', 'x', '--principal', 'ann\u200b', ...NEVER],
    'suspicious_unicode',
    2,
    /principal.*U\+200B/s,
  ],
  [
    'a principal of two scripts',
    ['run', 'desk.ts', 'x', '--principal', '\u0430nn', ...NEVER],
    'suspicious_unicode',
    2,
    /Latin and Cyrillic/,
  ],
  ['a principal of blanks', ['run', 'desk.ts', 'x', '--principal', ' ', ...NEVER], 'invalid_argument', 2, /principal.*is empty/],
  ['an authenticated nobody', ['run', 'desk.ts', 'x', '--authenticated', ...NEVER], 'invalid_argument', 2, /--principal/],
  [
    'principals that an export knows itself',
    ['import', 'all.jsonl', ...EXPORT, '--trust-principals'],
    'invalid_argument',
    2,
    /export says itself/,
  ],
  [
    'a reviewer with an invisible letter',
    ['memory', 'create', 'new', '--by', 'an\u00adn', ...NEVER],
    'suspicious_unicode',
    2,
    /--by.*U\+00AD/s,
  ],
  ['an empty message', ['send', 'SESSION', ''], 'invalid_argument', 2, /empty/],
  ['a blank message', ['send', 'SESSION', ' '], 'invalid_argument', 2, /empty/],
];

const IDS: Case[] = [
  ['show of no session', ['show', 'sesn_nope'], 'not_found', 2, /sesn_nope/],
  ['an empty id', ['show', ''], 'not_found', 2, /""/],
  ['a beginning of several ids', ['show', 'sesn_'], 'invalid_argument', 2, /Several sessions begin/],
  ['tail of no session', ['tail', 'nope'], 'not_found', 2, /nope/],
  ['replay past the end', ['replay', 'SESSION', '--at', '99999'], 'invalid_argument', 2, /no event 99999/],
  ['resume of no session', ['resume', 'nope', 'desk.ts'], 'not_found', 2, /nope/],
  ['export of no session', ['export', 'nope', '--out', 'x.jsonl'], 'not_found', 2, /nope/],
  ['approval of no call', ['approve', 'SESSION', 'sevt_nope'], 'approval_not_found', 2, /sevt_nope/],
  ['approval where none waits', ['approve', 'SESSION'], 'approval_not_found', 2, /waits/],
  ['interrupt of no thread', ['interrupt', 'SESSION', '--thread', 'sthr_nope'], 'not_found', 2, /sthr_nope/],
  [
    'feedback on no event of this number',
    ['feedback', 'SESSION', '999', '--by', 'x', '--verdict', 'right'],
    'not_found',
    2,
    /its number, 1 to/,
  ],
  ['approval of no event', ['approve', 'SESSION', '#999'], 'not_found', 2, /no event #999/],
  [
    'feedback with a misspelt field',
    ['feedback', 'FOUND', 'CALL', '--by', 'x', '--verdict', 'wrong', '--right-answer', '{"ordr":"1"}'],
    'invalid_argument',
    2,
    /no field "ordr".*Did you mean "order"/s,
  ],
  [
    'feedback with an empty answer',
    ['feedback', 'FOUND', 'CALL', '--by', 'x', '--verdict', 'wrong', '--right-answer', '{}'],
    'invalid_argument',
    2,
    /is empty/,
  ],
  [
    'feedback with a value of another type',
    ['feedback', 'FOUND', 'CALL', '--by', 'x', '--verdict', 'wrong', '--right-answer', '{"order":1}'],
    'invalid_argument',
    2,
    /takes no order 1/,
  ],
  [
    'feedback of somebody who can be taken for another',
    ['feedback', 'FOUND', 'CALL', '--by', 'd\u0435sk', '--verdict', 'right'],
    'suspicious_unicode',
    2,
    /Latin and Cyrillic/,
  ],
  ['feedback on no event', ['feedback', 'SESSION', 'sevt_nope', '--by', 'x', '--verdict', 'right'], 'not_found', 2, /sevt_nope/],
  ['a score of no criterion', ['grade', 'SESSION', 'tone', '1', '--reason', 'x'], 'not_found', 2, /tone/],
  ['a store that is not there', ['run', 'desk.ts', 'x', '--memory', 'nope'], 'not_found', 2, /nope/],
];

const TEAMS: Case[] = [
  ['no file', ['run', 'nope.ts', 'x'], 'not_found', 2, /nope\.ts/],
  ['a directory', ['run', '.', 'x'], 'invalid_path', 2, /is a directory/],
  ['a tool whose policy is misspelt', ['run', 'polcy.ts', 'x', ...NEVER], 'invalid_team', 2, /polcy\.ts:3.*refund.*did you mean "policy"/],
  ['a tool whose policy is none', ['run', 'ask.ts', 'x', ...NEVER], 'invalid_team', 2, /ask\.ts:3.*refund.*"always_ask"/],
  ['a syntax error', ['run', 'syntax.ts', 'x'], 'invalid_team', 2, /syntax\.ts:1: is not a module/],
  ['a syntax error in its export', ['run', 'defualt.ts', 'x'], 'invalid_team', 2, /defualt\.ts:3: is not a module/],
  ['a syntax error in JavaScript', ['run', 'defualt.mjs', 'x'], 'invalid_team', 2, /defualt\.mjs:3: is not a module/],
  ['TypeScript that has to be transformed', ['run', 'enum.ts', 'x'], 'invalid_team', 2, /enum\.ts.*enum/s],
  ['no default export', ['run', 'named.ts', 'x'], 'invalid_team', 2, /no default export.*`node named\.ts`/s],
  ['a script that is not even a module', ['run', 'script.ts', 'x'], 'invalid_team', 2, /^(?!.*it ran).*no default export/s],
  ['a default export that is no agent', ['run', 'number.ts', 'x'], 'invalid_team', 2, /not a team/],
  ['a lead that agent() did not make', ['run', 'plain.ts', 'x'], 'invalid_team', 2, /lead/],
  ['a field that is none', ['run', 'field.ts', 'x'], 'invalid_team', 2, /budget/],
  ['a cap that is spelt wrong', ['run', 'caps.ts', 'x', ...NEVER], 'invalid_team', 2, /caps.*"turn"/],
  ['an import that is not there', ['run', 'missing.ts', 'x'], 'invalid_team', 2, /not-installed/],
  ['a file that throws', ['run', 'throws.ts', 'x'], 'invalid_team', 2, /throws\.ts:2.*out of cheese/s],
  ['a team in a circle', ['run', 'circle.ts', 'x'], 'delegation_cycle', 2, /circle\.ts:\d.*lead > writer > lead/s],
  ['a team tied in a circle afterwards', ['run', 'knot.ts', 'x', '--model', 'scripted'], 'delegation_cycle', 2, /lead > writer > lead/],
  ['a tool whose input is no object', ['run', 'tool.ts', 'x'], 'invalid_team', 2, /tool\.ts/],
  ['a rubric without criteria', ['run', 'rubric.ts', 'x'], 'invalid_rubric', 2, /criteria.*rubric\(\{ criteria: \[/s],
  ['a rubric file without a rubric', ['run', 'desk.ts', 'x', '--rubric', 'desk.ts'], 'invalid_rubric', 2, /desk\.ts/],
  ['an unknown model', ['run', 'desk.ts', 'x', '--model', 'gpt-0'], 'unknown_model', 2, /Agent desk: .*gpt-0/],
  ['an unknown model where no data is', ['run', 'desk.ts', 'x', '--model', 'gpt-0', ...NEVER], 'unknown_model', 2, /gpt-0/],
  ['an empty task', ['run', 'desk.ts', ''], 'invalid_argument', 2, /empty/],
  ['an empty task where no data is', ['run', 'desk.ts', ' ', ...NEVER], 'invalid_argument', 2, /empty/],
  ['a memory store where no data is', ['run', 'desk.ts', 'x', '--memory', 'support', ...NEVER], 'not_found', 2, /no data in never/],
  ['a program that runs its team itself', ['run', 'program.ts', 'x', ...NEVER], 'invalid_team', 2, /`node program\.ts`/],
];

const IMPORTS: Case[] = [
  ['no file', ['import', 'nope.jsonl', ...MESSAGES], 'not_found', 2, /nope\.jsonl/],
  ['a directory', ['import', '.', ...MESSAGES], 'invalid_path', 2, /directory/],
  ['an empty file', ['import', 'empty.jsonl', ...MESSAGES], 'invalid_import', 2, /no sessions/],
  ['an empty export', ['import', 'empty.jsonl', ...EXPORT], 'invalid_import', 2, /empty/],
  ['a file of another kind', ['import', 'desk.ts', ...MESSAGES], 'invalid_json', 2, /desk\.ts:1.*begins with/],
  ['a row that is not JSON', ['import', 'broken.jsonl', ...MESSAGES], 'invalid_json', 2, /broken\.jsonl:2/],
  ['a row without messages', ['import', 'shape.jsonl', ...MESSAGES], 'invalid_import', 2, /shape\.jsonl:2/],
  ['a key twice', ['import', 'twice.jsonl', ...MESSAGES], 'forbidden_key', 2, /twice/],
  ['JSON too deep', ['import', 'deep.jsonl', ...MESSAGES], 'json_too_deep', 2, /deep\.jsonl:1/],
  ['bytes that are not UTF-8', ['import', 'latin.jsonl', ...MESSAGES], 'invalid_text', 2, /UTF-8/],
  [
    'a principal that can be taken for another',
    ['import', 'whose.jsonl', ...MESSAGES],
    'suspicious_unicode',
    2,
    /whose\.jsonl:1\/principal/,
  ],
  ['a labeller without a name', ['import', 'nobody.jsonl', ...MESSAGES], 'invalid_import', 2, /nobody\.jsonl:1\/feedback\/0\/by.*is empty/],
  ['a result without its call', ['import', 'orphan.jsonl', ...MESSAGES], 'invalid_import', 2, /orphan\.jsonl:1\/messages\/1/],
  ['messages as an export', ['import', 'good.jsonl', ...EXPORT], 'invalid_import', 2, /header/],
  ['messages as tau-bench', ['import', 'good.jsonl', '--format', 'tau-bench', '--data', 'never'], 'invalid_import', 2, /array/],
  ['an export of a newer Dreamfold', ['import', 'newer.jsonl', ...EXPORT], 'unsupported_schema_version', 2, /version 99/],
  ['an export cut short', ['import', 'cut.jsonl', ...EXPORT], 'invalid_import', 2, /cut short/],
  ['an export without its third line', ['import', 'gap.jsonl', ...EXPORT], 'invalid_import', 2, /gap\.jsonl:\d.*not complete/s],
  [
    'an export whose streams went another way',
    ['import', 'all.jsonl', '--format', 'dreamfold', '--data', 'fork'],
    'head_conflict',
    2,
    /all\.jsonl:\d/,
  ],
];

const STORES: Case[] = [
  ['nothing there yet', ['sessions', '--data', 'nothing'], 'not_found', 2, /no data in nothing/],
  ['nothing there to approve', ['approve', 'x', '--data', 'nothing'], 'not_found', 2, /no data/],
  ['nothing there to verify', ['verify', '--accept-head', '--data', 'nothing'], 'not_found', 2, /no data/],
  ['a data directory that is a file', ['run', 'desk.ts', 'x', '--data', 'desk.ts'], 'invalid_path', 2, /not a directory/],
  ['a data directory under one that is not there', ['run', 'desk.ts', 'x', '--data', 'no/such'], 'not_found', 2, /no\/such/],
  ['a file that is no database', ['sessions', '--data', 'junk'], 'store_corrupt', 3, /junk/],
  ['a log of a newer Dreamfold', ['sessions', '--data', 'future'], 'store_newer_than_code', 3, /newer/],
  ['a head that says otherwise', ['verify', '--data', 'headless'], 'store_corrupt', 3, /head/],
  ['a demo beside another processor', ['demo', '--data', 'locked'], 'store_locked', 4, /Process \d+/],
  ['an export over a file', ['export', '--out', 'all.jsonl'], 'path_conflict', 2, /all\.jsonl/],
  ['an export into no directory', ['export', '--out', 'no/such/file'], 'invalid_path', 2, /no\/such\/file/],
  ['a start over files', ['init', 'taken'], 'path_conflict', 2, /team\.ts/],
  ['a start in a file', ['init', 'desk.ts/team'], 'invalid_path', 2, /desk\.ts\/team/],
];

const policyTool = (policy: string): string => `import { agent, tool } from 'dreamfold';
import { z } from 'zod';
const refund = tool({ name: 'refund', description: '', input: z.object({}), ${policy}, run: () => '' });
export default agent({ name: 'x', system: 'y', tools: [refund] });`;

const FILES: Record<string, string> = {
  'desk.ts': DESK,
  'syntax.ts': 'export default {{{',
  'enum.ts': 'enum Colour { Red }\nexport default Colour;',
  'defualt.ts': "import { agent } from 'dreamfold';\n\nexport defualt agent({ name: 'lead' });",
  'defualt.mjs': "import { agent } from 'dreamfold';\n\nexport defualt agent({ name: 'lead' });",
  'script.ts': "import type { Model } from 'dreamfold';\nconst model: Model | null = null;\nconsole.log('it ran', model);",
  'named.ts': 'export const lead = 1;',
  'program.ts': "import { mkdirSync } from 'node:fs';\nmkdirSync('never');",
  'number.ts': 'export default 7;',
  'plain.ts': "export default { lead: { name: 'x', system: 'y' } };",
  'field.ts': `${DESK.replace('export default', 'const lead =')}\nexport default { lead, budget: 3 };`,
  'caps.ts': `${DESK.replace('export default', 'const lead =')}\nexport default { lead, caps: { turn: 3 } };`,
  'missing.ts': "import 'not-installed';\nexport default 1;",
  'throws.ts': "const cheese = 0;\nif (cheese === 0) throw new Error('out of cheese');\nexport default cheese;",
  'circle.ts': `import { agent } from 'dreamfold';
const inner = agent({ name: 'lead', system: 'x' });
const writer = agent({ name: 'writer', system: 'x', team: [inner] });
export default agent({ name: 'lead', system: 'x', team: [writer] });`,
  'knot.ts': `import { agent } from 'dreamfold';
const team = [];
const writer = agent({ name: 'writer', system: 'x', team });
const lead = agent({ name: 'lead', system: 'x', team: [writer] });
team.push(lead);
export default lead;`,
  'polcy.ts': policyTool("polcy: 'always_ask'"),
  'ask.ts': policyTool("policy: 'ask'"),
  'tool.ts': `import { agent, tool } from 'dreamfold';
import { z } from 'zod';
export default agent({ name: 'x', system: 'y', tools: [tool({ name: 't', description: '', input: z.string(), run: () => '' })] });`,
  'rubric.ts': `${DESK.replace('export default', 'const lead =').replace('agent, tool', 'agent, rubric, tool')}\nexport default { lead, rubric: rubric({ criteria: [] }) };`,
  'empty.jsonl': '',
  'good.jsonl': '{"messages": [{"role": "user", "content": "hi"}]}\n',
  'broken.jsonl': '{"messages": [{"role": "user", "content": "hi"}]}\n{"messages": [\n',
  'shape.jsonl': '{"messages": [{"role": "user", "content": "hi"}]}\n{"message": "hi"}\n',
  'twice.jsonl': '{"messages": [{"role": "user", "content": "hi"}], "principal": "a", "principal": "b"}\n',
  'deep.jsonl': `{"messages": ${'['.repeat(200)}${']'.repeat(200)}}\n`,
  'whose.jsonl': '{"principal": "\u0430nn", "messages": [{"role": "user", "content": "hi"}]}\n',
  'nobody.jsonl':
    '{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "x"}], "feedback": [{"judges": 1, "verdict": "right", "by": " "}]}\n',
  'orphan.jsonl': '{"messages": [{"role": "user", "content": "hi"}, {"role": "tool", "tool_call_id": "t", "content": "x"}]}\n',
  'newer.jsonl': '{"dreamfold_export": 99, "log_id": "x", "streams": 0, "events": 0}\n',
};

beforeAll(async () => {
  for (const [name, text] of Object.entries(FILES)) workspace.file(name, text);
  writeFileSync(join(workspace.path, 'latin.jsonl'), Buffer.from('{"messages": [{"role": "user", "content": "\xe9"}]}\n', 'latin1'));
  found = (await workspace.json('run', 'desk.ts', FIND)).document.sessionId;
  const { events } = (await workspace.json('show', found)).document as { events: { id: string; type: string }[] };
  call = events.find(({ type }) => type === 'agent.tool_use')!.id;
  id = (await workspace.json('run', 'desk.ts', 'Hello again')).document.sessionId;
  await workspace.run('export', '--out', 'all.jsonl');
  const lines = readFileSync(join(workspace.path, 'all.jsonl'), 'utf8').split('\n');
  workspace.file('cut.jsonl', lines.slice(0, -2).join('\n'));
  workspace.file('gap.jsonl', lines.toSpliced(2, 1).join('\n'));
  // The same session, begun and then gone another way.
  await workspace.run('import', 'all.jsonl', '--format', 'dreamfold', '--data', 'fork');
  await workspace.run('send', id, 'One way', '--data', 'fork');
  await workspace.run('send', id, 'Another way');
  await workspace.run('export', '--out', 'all.jsonl', '--force');
  for (const directory of ['junk', 'future', 'headless', 'taken']) mkdirSync(join(workspace.path, directory));
  workspace.file('taken/team.ts', '// mine');
  workspace.file('junk/log.db', 'This is not a database, and it is long enough to be read as one. '.repeat(100));
  for (const name of readdirSync(join(workspace.path, '.dreamfold'))) {
    const bytes = readFileSync(join(workspace.path, '.dreamfold', name));
    for (const directory of ['future', 'headless']) writeFileSync(join(workspace.path, directory, name), bytes);
  }
  workspace.file('headless/head', 'not a head');
  holder = await open({ directory: join(workspace.path, 'locked') });
  await holder.lock();
  const db = new DatabaseSync(join(workspace.path, 'future/log.db'));
  db.exec('PRAGMA user_version = 999');
  db.close();
}, 60_000);

afterAll(async () => {
  await holder.close();
  workspace.remove();
});

describe.each([
  ['arguments', ARGUMENTS],
  ['ids', IDS],
  ['teams', TEAMS],
  ['imports', IMPORTS],
  ['data directories and files', STORES],
])('wrong %s', (_, cases) => {
  test.concurrent.each(cases)('%s', async (...[, args, code, exit, says]) => {
    const ended = await workspace.run(
      ...args.map((arg) => arg.replace('SESSION', id).replace('FOUND', found).replace('CALL', call)),
      '--json',
    );
    const { error } = JSON.parse(ended.stdout);
    expect(error).toMatchObject({ code });
    expect(`${error.path} ${error.message} ${error.remedy}`).toMatch(says);
    expect(error.remedy).toMatch(/\w{3}/);
    expect(ended.stdout + ended.stderr).not.toMatch(/\n\s+at /);
    expect(ended.code).toBe(exit);
    expect(existsSync(join(workspace.path, 'never'))).toBe(false);
    expect(existsSync(join(workspace.path, 'nothing'))).toBe(false);
  });
});

test('people get the code, the sentence and the remedy on stderr, and nothing on stdout', async () => {
  const { code, stdout, stderr } = await workspace.run('show', 'nope');
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toBe(`not_found No session has an id that begins with "nope"\n  List them with \`${PROGRAM} sessions\`.\n`);
});

test('what a model says cannot steer the terminal', async () => {
  const task = `@script [{"say":"red \\u001b[31malert\\u0007 \\u202etxt"}]`;
  const { stdout } = await workspace.run('run', 'desk.ts', task, '--data', 'escapes');
  expect(stdout).toContain(String.raw`red \u001b[31malert\u0007 \u202etxt`);
  for (const character of ['\u001b', '\u0007', '\u202e']) expect(stdout).not.toContain(character);
});

test('the good and the bad left the log as it was', async () => {
  const { document } = await workspace.json('sessions');
  expect(document.total).toBe(2);
  expect(await workspace.json('verify')).toMatchObject({ code: 0, document: { ok: true } });
  expect(await workspace.json('memory', '--data', 'locked')).toMatchObject({ code: 0, document: { stores: [] } });
});

test.skipIf(process.getuid?.() === 0)('a data directory that may not be written (skipped for root, who may write anywhere)', async () => {
  chmodSync(join(workspace.path, '.dreamfold'), 0o500);
  const { code, document } = await workspace.json('run', 'desk.ts', REFUND);
  chmodSync(join(workspace.path, '.dreamfold'), 0o700);
  expect(code).toBe(3);
  expect(document.error.code).toBe('store_read_only');
});
