import { eventId, idFrom, newEvent, type EventData, type EventType, type NewEvent } from '@dreamfold/events';

/** One append of an imported session, ready for the log: `log.append({ stream, ...append })` without `step`. */
export interface ImportedAppend {
  /** Names the append within the session; its id is derived from both. */
  step: string;
  id: string;
  /** The seq that the stream's head has before it; 'any' for feedback, which may be added to a session that is there. */
  expected: number | 'any';
  /** Of the one claim of an imported session; feedback is anyone's and has none. */
  epoch?: number;
  events: NewEvent[];
  /** When it was recorded, milliseconds since 1970; left out when the recording does not say. */
  time?: number;
}

/** Appends count whole, so a very long turn is several of them. */
const MAX_APPEND_EVENTS = 100;

/** Collects the events of an imported session into appends whose ids follow from the session and the step. */
export class AppendWriter {
  readonly appends: ImportedAppend[] = [];
  readonly #sessionId: string;
  readonly #sha256: (text: string) => string;
  #parts = 0;
  #time: number | undefined;

  constructor(sessionId: string, sha256: (text: string) => string) {
    this.#sessionId = sessionId;
    this.#sha256 = sha256;
    this.begin('created', 0);
  }

  /** Events so far, feedback aside: the seq of the newest one. */
  get seq(): number {
    const last = this.appends.findLast((append) => append.expected !== 'any');
    return last === undefined ? 0 : (last.expected as number) + last.events.length;
  }

  /** The time of what is added from now on. */
  at(time: number | undefined): void {
    if (time === undefined || time === this.#time) return;
    this.#time = time;
    const current = this.appends.at(-1)!;
    if (current.events.length === 0) current.time = time;
    else this.nextPart();
  }

  nextPart(): void {
    this.#parts += 1;
    this.begin(`part-${this.#parts}`, this.seq);
  }

  /** @param said when feedback was given; left out when it is not known */
  begin(step: string, expected: number | 'any', said?: number): void {
    const id = idFrom('event', this.#sha256(`${this.#sessionId}/${step}`));
    const time = expected === 'any' ? said : this.#time;
    this.appends.push({
      step,
      id,
      expected,
      events: [],
      ...(expected === 'any' ? {} : { epoch: 1 }),
      ...(time === undefined ? {} : { time }),
    });
  }

  /** @returns the id of the event */
  add<T extends EventType>(type: T, actor: string, data: EventData[T]): string {
    if (this.appends.at(-1)!.events.length >= MAX_APPEND_EVENTS) this.nextPart();
    const append = this.appends.at(-1)!;
    append.events.push(newEvent(type, actor, data));
    return eventId(append.id, append.events.length - 1);
  }
}
