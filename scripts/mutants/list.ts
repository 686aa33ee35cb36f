import type { Room } from './mutant.ts';
import { CLI } from './rooms/cli.ts';
import { CORE_IMPORT } from './rooms/core-import.ts';
import { CORE_MEMORY } from './rooms/core-memory.ts';
import { CORE_SESSION } from './rooms/core-session.ts';
import { CORE_WORKER } from './rooms/core-worker.ts';
import { DREAMFOLD } from './rooms/dreamfold.ts';
import { DREAMING } from './rooms/dreaming.ts';
import { EVENTS } from './rooms/events.ts';
import { LOG_KAFKA } from './rooms/log-kafka.ts';
import { LOG } from './rooms/log.ts';
import { MODEL } from './rooms/model.ts';
import { PROJECTIONS } from './rooms/projections.ts';
import { RUNTIME } from './rooms/runtime.ts';
import { VIEWS } from './rooms/views.ts';

/** Every guard that a run of mutants switches off. */
export const ROOMS: readonly Room[] = [
  EVENTS,
  CORE_SESSION,
  CORE_MEMORY,
  CORE_IMPORT,
  CORE_WORKER,
  LOG,
  LOG_KAFKA,
  MODEL,
  DREAMING,
  RUNTIME,
  VIEWS,
  PROJECTIONS,
  DREAMFOLD,
  CLI,
];
