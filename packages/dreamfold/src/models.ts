import { DreamfoldError } from '@dreamfold/events';
import { scripted, type Model } from '@dreamfold/model';
import { anthropic } from '@dreamfold/model/anthropic';

/**
 * Finds a model by its name: what the caller named, `scripted`, or Claude by any name that begins with `claude`.
 * The Anthropic client is loaded when it is first asked.
 */
export function modelsByName(named: Readonly<Record<string, Model>>): (name: string) => Model {
  const known = new Map<string, Model>(Object.entries(named));
  return (name) => {
    let model = known.get(name);
    if (model === undefined) {
      model = make(name);
      known.set(name, model);
    }
    return model;
  };
}

function make(name: string): Model {
  if (name === 'scripted') return scripted();
  if (name.startsWith('claude')) return anthropic();
  throw new DreamfoldError('unknown_model', `There is no model ${JSON.stringify(name)}`, {
    path: 'model',
    value: name,
    remedy: 'Use "scripted", a name that begins with "claude", or open({ models: { … } }) with a model under this name.',
  });
}
