// One client connection: start-up, splitting its messages into units, and what is sent back.
import { DATABASE } from './backend.mjs';
import {
  AUTHENTICATION_OK, CANCEL_REQUEST, GSSENC_REQUEST, ProtocolError, READY_IDLE, SSL_REQUEST, Splitter, identifier,
  int32, message, report, startupParameters,
} from './protocol.mjs';

const STARTUP_LIMIT_MS = 60_000;
const PAUSE_UNITS = 64; // a client this far ahead of the backend is not read any further
const ACCEPTED = new Set(['Q', 'P', 'B', 'D', 'E', 'C', 'S', 'H', 'F']); // any other type aborts the instance
const IGNORED = new Set(['d', 'c', 'f', 'p']); // left over from a refused COPY; passwords are never asked for
const UNIT_END = new Set(['Q', 'S', 'H', 'F']);
const ENCODINGS = new Set(['utf8', 'utf-8', 'unicode', 'auto', '']);

let lastId = 0;

export class Client {
  id = ++lastId;
  user = '';
  settings = []; // [name, value] of the start-up packet, applied at each hand-over
  role = undefined; // {superuser, settings} once admitted
  work = []; // {unit}, {login: true} or {end: true}
  prepared = new Map(); // named statement -> its Parse message
  #socket;
  #pool;
  #full;
  #splitter = new Splitter();
  #unit = [];
  #state = 'startup'; // startup, waiting, ready, closed
  #timer;

  /** @param full whether more clients are connected than allowed */
  constructor({ socket, pool, full, onClose }) {
    this.#socket = socket;
    this.#pool = pool;
    this.#full = full;
    this.#timer = setTimeout(() => socket.destroy(), STARTUP_LIMIT_MS);
    socket.setNoDelay?.(true);
    socket.on('data', (chunk) => this.#received(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(this.#timer);
      this.#state = 'closed';
      // After Terminate the units before it still run, as on any server; otherwise nobody waits for them.
      if (!this.work.some((job) => job.end)) pool.drop(this);
      onClose(this);
    });
  }

  send(data) {
    if (data.length > 0 && this.#socket.writable) this.#socket.write(data);
  }

  /** Sends a FATAL error and closes the connection; nothing more of this client runs. */
  refuse(code, text) {
    this.work.length = 0;
    this.#state = 'closed';
    if (this.#socket.writable) this.#socket.end(report('FATAL', code, text));
    this.#socket.resume();
    this.#socket.destroySoon();
  }

  finish() {
    this.#state = 'closed';
    this.#socket.end();
    this.#socket.destroySoon();
  }

  /** Called after each unit that ran. */
  worked() {
    if (this.work.length < PAUSE_UNITS) this.#socket.resume();
  }

  #received(chunk) {
    if (this.#state === 'closed') return;
    this.#splitter.push(chunk);
    try {
      while (this.#state === 'startup' && this.#startup());
      if (this.#state === 'ready') this.#split();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.refuse('08P01', error.message);
      this.#pool.drop(this);
    }
  }

  /** Handles one start-up packet; false when more bytes are needed. */
  #startup() {
    const body = this.#splitter.startup();
    if (body === undefined) return false;
    const code = body.readInt32BE(0);
    if (code === SSL_REQUEST || code === GSSENC_REQUEST) {
      this.send(Buffer.from('N'));
      return true;
    }
    if (code === CANCEL_REQUEST) {
      this.finish(); // accepted and ignored: while a statement runs nothing else does
      return false;
    }
    if (code >>> 16 !== 3) throw new ProtocolError(`unsupported frontend protocol ${code >>> 16}.${code & 0xffff}`);
    const { user, database, replication, settings } = startupParameters(body);
    const encoding = settings.find(([name]) => name === 'client_encoding')?.[1].replaceAll("'", '');
    if (this.#full) this.refuse('53300', 'sorry, too many clients already');
    else if (user === '') this.refuse('28000', 'no PostgreSQL user name specified in startup packet');
    else if (replication && !['false', 'off', 'no', '0'].includes(replication)) {
      this.refuse('0A000', 'replication is not available on the embedded server');
    } else if (database !== DATABASE) {
      this.refuse('3D000', `database ${identifier(database)} does not exist; the embedded server has only ${identifier(DATABASE)}`);
    } else if (!ENCODINGS.has((encoding ?? '').toLowerCase())) {
      this.refuse('22023', 'the embedded server supports only client_encoding UTF8');
    } else {
      if ((code & 0xffff) !== 0) this.send(message('v', int32(0), int32(0)));
      this.user = user;
      this.settings = settings.filter(([name]) => name !== 'client_encoding');
      this.#state = 'waiting';
      // A login does not wait for another client's transaction if the role is known; the hand-over checks it again.
      const known = this.#pool.occupied ? this.#pool.known(user) : undefined;
      if (known) this.admit(known);
      else {
        this.work.push({ login: true });
        this.#pool.submit(this);
      }
    }
    return false;
  }

  /** Ends the start-up: `role` is {superuser, settings} or {refused: {code, text}}. */
  admit(role) {
    if (this.#state !== 'waiting') return;
    if (role.refused) {
      this.refuse(role.refused.code, role.refused.text);
      return;
    }
    clearTimeout(this.#timer);
    this.role = role;
    this.#state = 'ready';
    const asked = new Map([...role.settings, ...this.settings].map(([name, value]) => [name.toLowerCase(), value]));
    const status = (name, value) => message('S', name, asked.get(name.toLowerCase()) ?? value);
    this.send(Buffer.concat([
      AUTHENTICATION_OK,
      message('S', 'server_version', this.#pool.version),
      message('S', 'server_encoding', 'UTF8'),
      message('S', 'client_encoding', 'UTF8'),
      message('S', 'integer_datetimes', 'on'),
      message('S', 'is_superuser', role.superuser ? 'on' : 'off'),
      message('S', 'session_authorization', this.user),
      message('S', 'in_hot_standby', 'off'),
      status('application_name', ''),
      status('default_transaction_read_only', 'off'),
      status('DateStyle', 'ISO, MDY'),
      status('IntervalStyle', 'postgres'),
      status('TimeZone', 'UTC'),
      status('standard_conforming_strings', 'on'),
      message('K', int32(this.id), int32(0)),
      READY_IDLE,
    ]));
    this.#split();
  }

  #split() {
    for (let item = this.#splitter.next(); item !== undefined; item = this.#splitter.next()) {
      const type = String.fromCharCode(item[0]);
      if (type === 'X') {
        this.work.push({ end: true });
        this.#pool.submit(this);
        return;
      }
      if (IGNORED.has(type)) continue;
      if (!ACCEPTED.has(type)) throw new ProtocolError(`invalid frontend message type ${item[0]}`);
      this.#unit.push(item);
      if (!UNIT_END.has(type)) continue;
      this.work.push({ unit: this.#unit.length === 1 ? item : Buffer.concat(this.#unit) });
      this.#unit = [];
      this.#pool.submit(this);
    }
    if (this.work.length >= PAUSE_UNITS) this.#socket.pause();
  }
}
