export { countingModel, type CountingModel } from './counting-model.ts';
export { serveMessages, type MessagesServer, type ServedBlock, type ServedReply, type ServedRequest } from './messages-server.ts';
