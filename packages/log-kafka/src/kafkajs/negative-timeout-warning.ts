let silenced = false;

/**
 * kafkajs 2.2.4 sets a timer with a negative delay after each answered request; Node 24 warns of it once, on everybody's stderr.
 * Nothing else is held back: not even that warning when other code causes it.
 */
export function silenceNegativeTimeoutWarning(): void {
  if (silenced) return;
  silenced = true;
  const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void;
  process.emitWarning = (...args: unknown[]): void => {
    if (args[1] === 'TimeoutNegativeWarning' && new Error('where from').stack?.includes('kafkajs') === true) return;
    emitWarning(...args);
  };
}
