import { describe, expect, it } from '@jest/globals';
import protobuf from 'protobufjs';
import { type Message, messages, requestOf } from '../../otlp/schema.ts';
import { signals } from '../../otlp/signal.ts';
import { profilesOnly } from './arbitrary.ts';
import { requestType } from './proto/types.ts';

const idKind = new Map([
  ['traceId', 'trace_id'],
  ['spanId', 'span_id'],
  ['parentSpanId', 'span_id'],
]);

interface Row {
  number: number;
  jsonName: string;
  protoName: string;
  kind: string;
  repeated: boolean;
  message: string | undefined;
  oneof: string | undefined;
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function officialRows(type: protobuf.Type): Row[] {
  return type.fieldsArray
    .filter((field) => !profilesOnly.test(field.name))
    .map((field): Row => {
      field.resolve();
      const message = field.resolvedType instanceof protobuf.Type ? field.resolvedType.name : undefined;
      const scalar = field.resolvedType ? 'enum' : (idKind.get(field.name) ?? field.type);
      const oneof = field.partOf && field.partOf.fieldsArray.length > 1 ? field.partOf.name : undefined;
      return {
        number: field.id,
        jsonName: field.name,
        protoName: snake(field.name),
        kind: message ? 'message' : scalar,
        repeated: field.repeated,
        message,
        oneof,
      };
    })
    .sort((a, b) => a.number - b.number);
}

function ownRows(message: Message): Row[] {
  return [...message.fields.values()]
    .map(({ number, jsonName, protoName, kind, repeated, message: inner, oneof }) => ({
      number,
      jsonName,
      protoName,
      kind,
      repeated,
      message: inner?.name,
      oneof,
    }))
    .sort((a, b) => a.number - b.number);
}

function reachable(
  type: protobuf.Type,
  found = new Map<string, protobuf.Type>(),
): Map<string, protobuf.Type> {
  if (found.has(type.name)) return found;
  found.set(type.name, type);
  for (const field of type.fieldsArray) {
    field.resolve();
    if (field.resolvedType instanceof protobuf.Type) reachable(field.resolvedType, found);
  }
  return found;
}

describe('the tables of OTLP messages', () => {
  const official = new Map(signals.flatMap((signal) => [...reachable(requestType[signal])]));

  it('hold the messages of the official definitions, and no others', () => {
    expect([...messages.keys()].sort()).toEqual([...official.keys()].sort());
  });

  it.each([...official.keys()])('agree with the official definition of %s field by field', (name) => {
    expect(ownRows(messages.get(name)!)).toEqual(officialRows(official.get(name)!));
  });

  it('leave out the fields of profiles, and no others', () => {
    const left = [...official.values()].flatMap((type) =>
      type.fieldsArray
        .filter((field) => profilesOnly.test(field.name))
        .map(({ name }) => `${type.name}.${name}`),
    );
    expect(left.sort()).toEqual(['AnyValue.stringValueStrindex', 'KeyValue.keyStrindex']);
  });

  it('name the request of each signal', () => {
    for (const signal of signals) expect(requestOf[signal].name).toBe(requestType[signal].name);
  });
});
