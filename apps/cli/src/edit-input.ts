import { JSON_LIMITS, parseJson } from '@dreamfold/events';
import { equalJson } from '@dreamfold/core';
import { editText } from './edit-text.ts';
import type { WaitingCall } from './waiting.ts';

/** No input of a call is longer. */
const MAX_BYTES = 262_144;

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
  const text = await editText(JSON.stringify(input, null, 2), { about, maxBytes: MAX_BYTES, name: 'input.json' });
  const edited = parseJson(text, 'the edited input', { ...JSON_LIMITS, anyKey: true });
  return equalJson(edited, input) ? null : { input: edited };
}
