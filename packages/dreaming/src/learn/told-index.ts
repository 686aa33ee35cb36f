import type { ChoiceInsight, Finding, Insight } from '@dreamfold/events';
import type { Standing, Told, ToldCue } from './standing.ts';

/** What choices tell agents, by tool, field and cue. */
export class ToldIndex implements Told {
  readonly auto: boolean;
  readonly #cues = new Map<string, ToldCue[]>();

  /** @param standingOf how an insight stands that the learner found; null for what it found not */
  constructor(findings: readonly (Finding | Insight)[], approval: 'manual' | 'auto', standingOf: (insight: Insight) => Standing | null) {
    this.auto = approval === 'auto';
    for (const insight of findings) {
      if (insight.kind !== 'choice') continue;
      const standing = standingOf(insight);
      for (const cue of insight.cues) this.#add({ insight, cue, standing });
    }
  }

  of({ tool, field }: { tool: string; field: string }, phrase: string): readonly ToldCue[] {
    return this.#cues.get(keyOf(tool, field, phrase)) ?? [];
  }

  /** How strongly the value of a choice is told where a cue is said; 0 when it is not. */
  points({ tool, field, value }: Pick<ChoiceInsight, 'tool' | 'field' | 'value'>, phrase: string): number {
    const same = this.of({ tool, field }, phrase).filter(({ insight }) => insight.value === value);
    return Math.max(0, ...same.map(({ cue }) => cue.points));
  }

  #add(told: ToldCue): void {
    const { tool, field } = told.insight;
    const key = keyOf(tool, field, told.cue.phrase);
    const same = this.#cues.get(key);
    if (same === undefined) this.#cues.set(key, [told]);
    else same.push(told);
  }
}

function keyOf(tool: string, field: string, phrase: string): string {
  return JSON.stringify([tool, field, phrase]);
}
