export type { KafkaDriver } from './driver.ts';
