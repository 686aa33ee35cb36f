import { describeLog } from './conformance/index.ts';
import { openMemoryLog } from './memory-log.ts';

describeLog('memory', async () => openMemoryLog());
