import { Dreamer, type DreamOptions, type DreamReport } from '../dream/dreamer.ts';

/** Learns from a handful of sessions, which prove nothing: the guard would hold all of it back from a store with approval `auto`. */
export class UnguardedDreamer extends Dreamer {
  override dream(options: DreamOptions): Promise<DreamReport> {
    return super.dream({ without: ['guard'], ...options });
  }
}
