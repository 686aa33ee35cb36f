import { describe, expect, test } from 'vitest';
import { knownEvent, text, type LogEvent } from './index.ts';

const event = (type: string, data: unknown): LogEvent => ({
  ...{ position: 1, stream: 'session/sesn_1', seq: 1, id: 'sevt_1', time: 0, type, v: 1, data },
  ...{ causation: null, correlation: null, actor: 'user', hash: 'h' },
});

describe('content of version 1', () => {
  test('is content of version 2 as it stands', () => {
    const data = { content: text('hello') };
    expect(knownEvent(event('user.message', data))).toMatchObject({ v: 2, data });
    expect(knownEvent(event('agent.tool_result', { tool_use_id: 't', ...data }))?.data).toEqual({ tool_use_id: 't', ...data });
  });

  test('names the whole of a cut output beside it; the block that was cut names it now', () => {
    const df_blob = { sha256: 'abc', size_bytes: 9 };
    const before = { tool_use_id: 't', content: text('cut'), is_error: true, df_blob };
    const after = { tool_use_id: 't', content: [{ type: 'text', text: 'cut', df_blob }], is_error: true };
    expect(knownEvent(event('agent.tool_result', before))?.data).toEqual(after);
    expect(before).toHaveProperty('df_blob');
    expect(knownEvent(event('agent.tool_result', { ...before, content: [] }))?.data).toMatchObject({ content: [{ text: '', df_blob }] });
  });

  test('that was erased stays so', () => {
    expect(knownEvent(event('agent.tool_result', null))?.data).toBeNull();
  });
});
