import { describeProjectionStore } from './conformance/index.ts';
import { openMemoryStore } from './memory-store.ts';

describeProjectionStore('memory', () => openMemoryStore());
