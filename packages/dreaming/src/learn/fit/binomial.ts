/**
 * The chance of `least` or more successes in `trials`, each of which succeeds with the chance `each`: the upper tail of the binomial
 * distribution, term by term in log space.
 */
export function upperTail(least: number, { trials, each }: { trials: number; each: number }): number {
  if (least <= 0) return 1;
  if (least > trials || each <= 0) return 0;
  if (each >= 1) return 1;
  const odds = Math.log(each) - Math.log1p(-each);
  let term = trials * Math.log1p(-each);
  let sum = 0;
  for (let k = 0; k <= trials; k += 1) {
    if (k >= least) sum += Math.exp(term);
    term += Math.log(trials - k) - Math.log(k + 1) + odds;
  }
  return Math.min(1, sum);
}
