/** A run of one turn, as a row of a file to import. */
export function recordedRow(n: number, outcome: unknown = n % 2): object {
  return {
    id: n,
    outcome,
    messages: [
      { role: 'user', content: `Task ${n}` },
      { role: 'assistant', content: `Answer ${n}` },
    ],
  };
}
