/** The same items in an order that is drawn from a seed: the same on every machine. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const order = [...items];
  const below = drawer(seed);
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Whole numbers below a bound: the quick generator of Press et al., Numerical Recipes in C (1992), 7.1. */
function drawer(seed: number): (bound: number) => number {
  let state = (seed + 1) * 12_345;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
