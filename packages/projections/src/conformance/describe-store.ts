import { afterEach, describe } from 'vitest';
import type { ProjectionStore } from '../port.ts';
import { describeCatchingUp } from './catch-up-cases.ts';
import { describeRows } from './row-cases.ts';

/**
 * Opens a store for a test.
 * @param place names where it is kept. A store that outlives its handle gives another handle on the same rows for the same place
 */
export type OpenStore = (place: string) => ProjectionStore;

/** What every group of cases works with. */
export interface StoreUnderTest {
  /** A store of its own, closed after the case. */
  fresh(): ProjectionStore;
}

/** What every place for projections has to do, as a vitest suite. */
export function describeProjectionStore(name: string, open: OpenStore): void {
  const stores: ProjectionStore[] = [];
  let places = 0;
  const under: StoreUnderTest = {
    fresh: () => {
      const store = open(`place${(places += 1)}`);
      stores.push(store);
      return store;
    },
  };
  describe(`projections: ${name}`, () => {
    afterEach(() => {
      for (const store of stores.splice(0)) store.close();
    });
    describeRows(under);
    describeCatchingUp(under);
  });
}
