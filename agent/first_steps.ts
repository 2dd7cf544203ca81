// How to send something to an agent that was just started: a line for a shell that works as printed.

/** Request with one log record of that text: fields 1 (resource_logs) > 2 (scope_logs) > 2 (log_records) > 5 (body) > 1 (string_value). */
export function logRequest(text: string): Uint8Array {
  let message: Uint8Array = new TextEncoder().encode(text);
  for (const field of [1, 5, 2, 2, 1]) {
    // One byte says the length: more would need a second one in a varint.
    if (message.length > 127) throw new RangeError('the text is too long for a line in a shell');
    message = Uint8Array.from([(field << 3) | 2, message.length, ...message]);
  }
  return message;
}

/** Posts one log record with curl. Octal escapes, since printf of every shell knows them. */
export function curlLine(address: string, text = 'hello from curl'): string {
  let body = '';
  for (const byte of logRequest(text)) {
    const character = String.fromCharCode(byte);
    body += /[A-Za-z0-9 ]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return `printf '${body}' | curl -sS --data-binary @- -H 'content-type: application/x-protobuf' http://${address}/v1/logs`;
}
