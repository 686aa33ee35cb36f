/**
 * The log on Kafka.
 * @module @dreamfold/log-kafka
 */
export { openKafkaLog, type KafkaLogOptions } from './open-kafka-log.ts';
export { examineKafkaLog, type ExamineOptions } from './doctor/examine-kafka-log.ts';
export { localReplicas, type LocalReplicas } from './doctor/local-replicas.ts';
export { openReplicaLog, type ReplicaLogOptions } from './salvage/open-replica.ts';
export { repairKafkaLog, type RepairOptions, type RepairReport } from './salvage/repair.ts';
export { driverFor } from './driver/driver-for.ts';
export type { KafkaLog } from './kafka-log.ts';
export type { LogNotice } from './kafka-node.ts';
export { parseKafkaUrl, redacted, type KafkaPlace } from './kafka-url.ts';
export { ProduceError } from './driver/driver.ts';
export type {
  DriverRecord,
  FetchedRecord,
  HeaderValue,
  KafkaDriver,
  Membership,
  MembershipOptions,
  OffsetRange,
  Tail,
  TailOptions,
  TopicDescription,
  TopicSpec,
} from './driver/driver.ts';
