export interface NodeSettings {
  id: number;
  directory: string;
  ports: NodePorts;
  /** Where clients find it. */
  host: string;
  /** Of all nodes. */
  controllers: string;
  nodes: number;
  sessionTimeoutMs: number;
  /** TLS and SASL for clients; the nodes speak plain text among themselves. */
  keystore: { file: string; password: string } | null;
  /** Who may do all where others may do what ACLs grant them; null where everybody may do all. */
  superUser: string | null;
}

export interface NodePorts {
  client: number;
  controller: number;
  /** Between brokers, where clients need TLS. */
  internal: number;
}

/** The server.properties of a node that is broker and controller, with what a cluster of one or three can bear. */
export function serverProperties(settings: NodeSettings): string {
  const replicas = Math.min(3, settings.nodes);
  const inSync = replicas > 1 ? replicas - 1 : 1;
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': settings.id,
    'controller.quorum.voters': settings.controllers,
    'log.dirs': `${settings.directory}/data`,
    ...listeners(settings),
    ...authorizer(settings),
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'auto.create.topics.enable': false,
    'group.initial.rebalance.delay.ms': 0,
    // Lets tests wait less for a dead member. Clients that ask for the usual times are served as usual.
    'group.min.session.timeout.ms': 1000,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    // After kill -9 a node comes back only when its former session is over.
    'broker.session.timeout.ms': settings.sessionTimeoutMs,
    'broker.heartbeat.interval.ms': Math.min(500, Math.floor(settings.sessionTimeoutMs / 4)),
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** The nodes among themselves are ANONYMOUS. */
function authorizer({ superUser }: NodeSettings): Record<string, string> {
  if (superUser === null) return {};
  return {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:${superUser};User:ANONYMOUS`,
  };
}

function listeners({ host, ports, keystore }: NodeSettings): Record<string, string> {
  const address = (port: number): string => `127.0.0.1:${port}`;
  const controller = `CONTROLLER://${address(ports.controller)}`;
  const common = { 'controller.listener.names': 'CONTROLLER' };
  if (keystore === null) {
    const client = `PLAINTEXT://${host}:${ports.client}`;
    return {
      ...common,
      listeners: `${client},${controller}`,
      'advertised.listeners': client,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    };
  }
  const brokers = `CLIENT://${host}:${ports.client},INTERNAL://${address(ports.internal)}`;
  return {
    ...common,
    listeners: `${brokers},${controller}`,
    'advertised.listeners': brokers,
    'listener.security.protocol.map': 'CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'INTERNAL',
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'listener.name.client.scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': keystore.file,
    'ssl.keystore.password': keystore.password,
  };
}
