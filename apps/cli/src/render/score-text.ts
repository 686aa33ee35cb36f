/** A score from 0 to 1 for people; a dash where there is none. */
export function scoreText(score: number | null): string {
  return score === null ? '-' : score.toFixed(2);
}
