import { createHash } from 'node:crypto';
import { DreamfoldError } from '@dreamfold/events';
import { describe, expect, it } from 'vitest';
import { parseMessagesLine } from './messages.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

function refused(row: unknown, line = 7): DreamfoldError {
  try {
    parseMessagesLine(typeof row === 'string' ? row : JSON.stringify(row), line, { source: 'runs.jsonl', sha256 });
  } catch (error) {
    expect(error).toBeInstanceOf(DreamfoldError);
    return error as DreamfoldError;
  }
  throw new Error('the row was accepted');
}

const user = { role: 'user', content: 'hi' };
const call = (id: string, input: unknown = {}) => ({ role: 'assistant', content: [{ type: 'tool_use', id, name: 'f', input }] });
const chatCall = (json: unknown) => ({ role: 'assistant', tool_calls: [{ id: 'c', function: { name: 'f', arguments: json } }] });
const result = (id: string) => ({ role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: '' }] });

describe('a malformed row is refused by name, with its place', () => {
  it.each<[string, unknown, string, string]>([
    ['text that is not JSON', '{"messages": [', 'invalid_json', 'runs.jsonl:7'],
    ['a list', [], 'invalid_import', 'runs.jsonl:7'],
    ['no messages', {}, 'invalid_import', 'runs.jsonl:7/messages'],
    ['an empty transcript', { messages: [] }, 'invalid_import', 'runs.jsonl:7/messages'],
    ['nothing but a system message', { messages: [{ role: 'system', content: 'x' }] }, 'invalid_import', 'runs.jsonl:7/messages'],
    ['an unknown role', { messages: [{ role: 'robot', content: 'x' }] }, 'invalid_import', 'runs.jsonl:7/messages/0/role'],
    ['a message that is text', { messages: ['x'] }, 'invalid_import', 'runs.jsonl:7/messages/0'],
    ['content that is a number', { messages: [{ role: 'user', content: 1 }] }, 'invalid_import', 'runs.jsonl:7/messages/0/content'],
    [
      'a text block without text',
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'invalid_import',
      'runs.jsonl:7/messages/0/content/0/text',
    ],
    ['a result without its call', { messages: [user, result('t')] }, 'invalid_import', 'runs.jsonl:7/messages/1'],
    ['a result that comes twice', { messages: [user, call('t'), result('t'), result('t')] }, 'invalid_import', 'runs.jsonl:7/messages/3'],
    ['a result after the next request', { messages: [user, call('t'), user, result('t')] }, 'invalid_import', 'runs.jsonl:7/messages/3'],
    ['two open calls with one id', { messages: [user, call('t'), call('t')] }, 'invalid_import', 'runs.jsonl:7/messages/2/content/0'],
    ['an input that is text', { messages: [user, call('t', 'x')] }, 'invalid_import', 'runs.jsonl:7/messages/1/content/0/input'],
    [
      'arguments that are a number',
      { messages: [user, chatCall(5)] },
      'invalid_import',
      'runs.jsonl:7/messages/1/tool_calls/0/function/arguments',
    ],
    [
      'a call without a function',
      { messages: [user, { role: 'assistant', tool_calls: [{ id: 'c' }] }] },
      'invalid_import',
      'runs.jsonl:7/messages/1/tool_calls/0',
    ],
    [
      'an item of an unknown type',
      { messages: [user, { type: 'telepathy', text: 'x' }] },
      'invalid_import',
      'runs.jsonl:7/messages/1/type',
    ],
    [
      'an item without its call’s id',
      { input: 'x', output: [{ type: 'function_call', name: 'f', arguments: '{}' }] },
      'invalid_import',
      'runs.jsonl:7/output/0/call_id',
    ],
    [
      'the result of a function that was not called',
      { messages: [user, { role: 'function', name: 'f', content: 'x' }] },
      'invalid_import',
      'runs.jsonl:7/messages/1',
    ],
    [
      'more agents than a session has threads',
      { messages: Array.from({ length: 26 }, (_, i) => ({ role: 'assistant', name: `a${i}`, content: 'x' })) },
      'invalid_import',
      'runs.jsonl:7',
    ],
    ['a confidence above 1', { messages: [user], confidence: 1.2 }, 'invalid_import', 'runs.jsonl:7/confidence'],
    [
      'a message’s confidence below 0',
      { messages: [user, { role: 'assistant', content: 'x', confidence: -1 }] },
      'invalid_import',
      'runs.jsonl:7/messages/1/confidence',
    ],
    ['an outcome above 1', { messages: [user], outcome: 2 }, 'invalid_import', 'runs.jsonl:7/outcome'],
    ['an outcome that is a word', { messages: [user], outcome: 'good' }, 'invalid_import', 'runs.jsonl:7/outcome'],
    ['an empty principal', { messages: [user], principal: '' }, 'invalid_import', 'runs.jsonl:7/principal'],
    ['a time that is a word', { messages: [user], created_at: 'yesterday' }, 'invalid_import', 'runs.jsonl:7/created_at'],
    ['a time of the last century', { messages: [user], time: 5 }, 'invalid_import', 'runs.jsonl:7/time'],
    [
      'a time of the next century',
      { messages: [{ ...user, created_at: 4_102_444_800 }] },
      'invalid_import',
      'runs.jsonl:7/messages/0/created_at',
    ],
    [
      'an outcome whose reason is a number',
      { messages: [user], outcome: { score: 1, reason: 3 } },
      'invalid_import',
      'runs.jsonl:7/outcome',
    ],
    ['half of a surrogate pair', '{"messages":[{"role":"user","content":"\\ud800"}]}', 'invalid_text', 'runs.jsonl:7/messages/0/content'],
    [
      'feedback on a call that is not there',
      { messages: [user], feedback: [{ judges: 'x', verdict: 'right', by: 'p' }] },
      'invalid_import',
      'runs.jsonl:7/feedback/0',
    ],
    [
      'feedback on a user',
      { messages: [user], feedback: [{ judges: 0, verdict: 'right', by: 'p' }] },
      'invalid_import',
      'runs.jsonl:7/feedback/0',
    ],
    [
      'feedback without a name',
      { messages: [user], feedback: [{ judges: 0, verdict: 'right' }] },
      'invalid_import',
      'runs.jsonl:7/feedback/0/by',
    ],
    ['a tool of neither style', { messages: [user], tools: [{ name: 'x' }] }, 'invalid_import', 'runs.jsonl:7/tools/0'],
    [
      'two tools with one name',
      { messages: [user], tools: [1, 2].map(() => ({ name: 'x', input_schema: {} })) },
      'invalid_import',
      'runs.jsonl:7/tools/1',
    ],
    ['a row that is nested too deep', `{"messages":${'['.repeat(80)}${']'.repeat(80)}}`, 'json_too_deep', 'runs.jsonl:7'],
  ])('%s', (_, row, ...[code, path]) => {
    const error = refused(row);
    expect({ code: error.code, path: error.path?.startsWith(path) }).toEqual({ code, path: true });
    expect(error.remedy).not.toBe('');
    if (code === 'invalid_import') expect(error.path).toBe(path);
  });

  it('names the offending value', () => {
    expect(refused({ messages: [user], confidence: 1.2 }).value).toBe(1.2);
    expect(refused({ messages: [{ role: 'robot', content: 'x' }] })).toMatchObject({ value: 'robot' });
    expect(refused({ messages: [user, result('t')] }).value).toBe('t');
  });
});
