// PostgreSQL wire protocol 3.0: splitting byte streams into messages, building the replies the host gives itself.
// Reference: PostgreSQL documentation, "Frontend/Backend Protocol".

export const SSL_REQUEST = 80877103;
export const GSSENC_REQUEST = 80877104;
export const CANCEL_REQUEST = 80877102;

/** Largest message accepted from a client, in bytes (PostgreSQL itself stops at 1 GiB). */
export const MAX_MESSAGE = 256 * 1024 * 1024;
/** Largest start-up packet, in bytes: the server's own limit. */
const MAX_STARTUP = 10000;

export class ProtocolError extends Error {}

/** One message: type byte (omitted when empty), length, body. */
export function message(type, ...parts) {
  const body = Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(`${p}\0`) : p)));
  const head = Buffer.alloc(type.length + 4);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, type.length);
  return Buffer.concat([head, body]);
}

export const int32 = (value) => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value | 0);
  return buffer;
};

export const query = (sql) => message('Q', sql);
export const SYNC = message('S');
export const FLUSH = message('H');
export const TERMINATE = message('X');
export const AUTHENTICATION_OK = message('R', int32(0));
export const READY_IDLE = message('Z', Buffer.from('I'));

/** ErrorResponse or, with type 'N', NoticeResponse. `severity` is FATAL, ERROR or WARNING. */
export function report(severity, code, text, { hint, type = 'E' } = {}) {
  const fields = ['S', severity, 'V', severity, 'C', code, 'M', text, ...(hint ? ['H', hint] : [])];
  const body = [];
  for (let i = 0; i < fields.length; i += 2) body.push(Buffer.from(fields[i]), Buffer.from(`${fields[i + 1]}\0`));
  return message(type, ...body, Buffer.from([0]));
}

/** Fields of an ErrorResponse body by their one-letter code. */
export function reportFields(body) {
  const fields = {};
  for (const part of body.toString('utf8').split('\0')) if (part) fields[part[0]] = part.slice(1);
  return fields;
}

/** Complete messages in `buffer` as {type, start, end}; a trailing fragment is left out. */
export function* messages(buffer) {
  let start = 0;
  while (buffer.length - start >= 5) {
    const end = start + 1 + buffer.readInt32BE(start + 1);
    if (end > buffer.length) return;
    yield { type: String.fromCharCode(buffer[start]), start, end };
    start = end;
  }
}

/** The zero-terminated strings at the start of a message body: `count` of them. */
export function strings(buffer, start, count) {
  const found = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const zero = buffer.indexOf(0, at);
    if (zero < 0) throw new ProtocolError('unterminated string in a message');
    found.push(buffer.toString('utf8', at, zero));
    at = zero + 1;
  }
  return found;
}

/** Incremental splitter of what one client sends. Memory is bounded by MAX_MESSAGE per message. */
export class Splitter {
  #chunks = [];
  #size = 0;

  push(chunk) {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  #peek(bytes) {
    if (this.#size < bytes) return undefined;
    // Joining only when the first chunk is too short keeps a large message linear, not quadratic.
    if (this.#chunks[0].length < bytes) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0];
  }

  #take(bytes) {
    const head = this.#peek(bytes);
    if (head === undefined) return undefined;
    this.#size -= bytes;
    if (head.length === bytes) this.#chunks.shift();
    else this.#chunks[0] = head.subarray(bytes);
    return head.subarray(0, bytes);
  }

  /** Next untyped start-up packet as its body, or undefined when it is not complete yet. */
  startup() {
    const head = this.#peek(4);
    if (head === undefined) return undefined;
    const length = head.readInt32BE(0);
    if (length < 8 || length > MAX_STARTUP) throw new ProtocolError('invalid length of startup packet');
    return this.#take(length)?.subarray(4);
  }

  /** Next message, type byte and length included, or undefined when it is not complete yet. */
  next() {
    const head = this.#peek(5);
    if (head === undefined) return undefined;
    const length = head.readInt32BE(1);
    if (length < 4 || length > MAX_MESSAGE) throw new ProtocolError('invalid message length');
    return this.#take(length + 1);
  }
}

/** Start-up parameters of a packet body: {user, database, settings: [[name, value]]}. */
export function startupParameters(body) {
  const parts = body.toString('utf8', 4).split('\0');
  const all = {};
  for (let i = 0; i + 1 < parts.length && parts[i] !== ''; i += 2) all[parts[i]] = parts[i + 1];
  const { user = '', database = user, options = '', replication, ...rest } = all;
  const settings = Object.entries(rest).filter(([name]) => !name.startsWith('_pq_.'));
  return { user, database, replication, settings: [...commandLineSettings(options), ...settings] };
}

/** `-c name=value` and `--name=value` of the `options` parameter; backslash escapes one character. */
function commandLineSettings(options) {
  const words = (options.match(/(?:\\.|[^\s\\])+/gs) ?? []).map((w) => w.replace(/\\(.)/gs, '$1'));
  const settings = [];
  while (words.length > 0) {
    const word = words.shift();
    let pair;
    if (word === '-c') pair = words.shift() ?? '';
    else if (word.startsWith('-c')) pair = word.slice(2);
    else if (word.startsWith('--')) pair = word.slice(2);
    else throw new ProtocolError(`unsupported command-line argument for the server: ${word}`);
    const equals = pair.indexOf('=');
    if (equals < 1) throw new ProtocolError('a -c option requires a value');
    settings.push([pair.slice(0, equals).replaceAll('-', '_'), pair.slice(equals + 1)]);
  }
  return settings;
}

export const literal = (text) =>
  (text.includes('\\') ? ' E' : '') + `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
export const identifier = (name) => `"${name.replaceAll('"', '""')}"`;
