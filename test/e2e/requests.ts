// Requests whose content can be recognised at the other end: log records with an id as their body.

import { requestType } from '../otlp/proto/types.ts';

interface DecodedLogs {
  resourceLogs: { scopeLogs: { logRecords: { body: { stringValue: string } }[] }[] }[];
}

/** One ExportLogsServiceRequest with a record for each id. */
export function logsRequest(ids: readonly string[], service = 'ledger'): Buffer {
  const type = requestType.logs;
  const message = type.fromObject({
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
        scopeLogs: [{ logRecords: ids.map((id) => ({ body: { stringValue: id }, severityNumber: 9 })) }],
      },
    ],
  });
  return Buffer.from(type.encode(message).finish());
}

/** The ids in a request, in order. */
export function idsOf(body: Uint8Array): string[] {
  const decoded = requestType.logs.decode(body) as unknown as DecodedLogs;
  return decoded.resourceLogs.flatMap((resource) =>
    resource.scopeLogs.flatMap((scope) => scope.logRecords.map((record) => record.body.stringValue)),
  );
}

/** Posts a request; true when it was acknowledged, false for anything else, a dead agent too. */
export async function post(url: string, body: Buffer, signal = 'logs'): Promise<boolean> {
  try {
    const response = await fetch(`${url}/v1/${signal}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: new Uint8Array(body),
    });
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
