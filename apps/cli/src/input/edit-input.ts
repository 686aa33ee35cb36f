import { DATA_LIMITS, MAX_EVENT_BYTES, parseJson } from '@dreamfold/events';
import { equalJson } from '@dreamfold/core';
import { editText } from './edit-text.ts';
import type { WaitingCall } from '../session/waiting.ts';

/**
 * Lets a person change a call's input in their own editor.
 * @returns null when they changed nothing
 * @throws DreamfoldError invalid_json and the like, and those of editText
 */
export async function editInput({ tool, input }: WaitingCall): Promise<{ input: unknown } | null> {
  const about = [
    `The input of ${tool}. Change it, then save and leave: the call runs with what stands here, and the model is told.`,
    'Unchanged, nothing is decided.',
  ];
  const text = await editText(JSON.stringify(input, null, 2), { about, maxBytes: MAX_EVENT_BYTES, name: 'input.json' });
  const edited = parseJson(text, 'the edited input', DATA_LIMITS);
  return equalJson(edited, input) ? null : { input: edited };
}
