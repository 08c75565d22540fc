// Transaction pooling: gives the one backend to one client at a time, until ReadyForQuery says idle.
import { BackendCrashed } from './backend.mjs';
import { Session } from './session.mjs';
import { FLUSH, report } from './protocol.mjs';

const OUT_OF_MEMORY = '53200';
const CRASHES_ALLOWED = 5;
const CRASH_WINDOW_MS = 60_000;

export class Pool {
  #backend;
  #session;
  #idleLimit;
  #log;
  #fail;
  #queue = []; // clients with work, first come first served; each at most once
  #owner; // the client whose transaction (or unfinished pipeline) is open
  #idleTimer;
  #scheduled = false;
  #opening = true;
  #crashes = [];

  /**
   * @param idleLimit milliseconds a client may hold an open transaction without sending anything
   * @param fail called with a reason when the data folder can no longer be opened
   */
  constructor({ backend, idleLimit, log, fail }) {
    this.#backend = backend;
    this.#session = new Session(backend);
    this.#idleLimit = idleLimit;
    this.#log = log;
    this.#fail = fail;
  }

  /** Opens the data folder. Rejects with what the backend throws. */
  async open() {
    await this.#backend.open();
    this.#session.begin();
    this.#opening = false;
    this.#schedule();
  }

  /** Tells the pool that `client` has work in its `work` list. */
  submit(client) {
    if (client === this.#owner) clearTimeout(this.#idleTimer);
    else if (!this.#queue.includes(client)) this.#queue.push(client);
    this.#schedule();
  }

  /** The client is gone: what it had open is rolled back, what it had queued is dropped. */
  drop(client) {
    client.work.length = 0;
    const at = this.#queue.indexOf(client);
    if (at >= 0) this.#queue.splice(at, 1);
    if (client === this.#owner) {
      this.#release();
      if (!this.#opening) this.#guard(undefined, () => this.#session.reset());
    }
    this.#schedule();
  }

  /** Rolls back whatever is open and shuts PostgreSQL down. */
  close() {
    clearTimeout(this.#idleTimer);
    if (this.#opening) return;
    this.#opening = true; // nothing runs any more
    try {
      if (this.#owner) this.#session.reset();
    } catch {
      // A crash while closing: the write-ahead log brings the folder back.
    }
    this.#owner = undefined;
    this.#backend.close();
  }

  #release() {
    clearTimeout(this.#idleTimer);
    this.#owner = undefined;
  }

  /** One unit per turn of the event loop, so that sockets are read and closings noticed in between. */
  #schedule() {
    if (this.#scheduled || this.#opening) return;
    if (this.#owner ? this.#owner.work.length === 0 : this.#queue.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#turn();
      this.#schedule();
    });
  }

  #turn() {
    if (this.#opening) return;
    const client = this.#owner ?? this.#queue.shift();
    const job = client?.work.shift();
    if (job === undefined) return;
    this.#guard(client, () => {
      if (job.login) client.admit(this.#session.login(client.user));
      else if (job.end) this.#leave(client);
      else this.#unit(client, job.unit);
    });
    client.worked();
    if (client.work.length > 0) this.submit(client);
  }

  #leave(client) {
    if (client === this.#owner) {
      this.#release();
      this.#session.reset();
    }
    client.finish();
  }

  #unit(client, unit) {
    // A Flush alone, outside a pipeline, asks for nothing; running it would hold the backend until a Sync.
    if (client !== this.#owner && unit.equals(FLUSH)) return;
    const refused = this.#session.enter(client, unit);
    if (refused) {
      client.refuse(refused.code, refused.text);
      return;
    }
    const reply = this.#session.run(client, unit);
    if (reply.tags.includes('LISTEN')) {
      client.send(
        report('WARNING', '0A000', 'notifications are not delivered by the embedded server: LISTEN ends with the transaction', {
          type: 'N',
        }),
      );
    }
    client.send(reply.data);
    // An instance that ran out of its 32-bit memory still answers, but its heap never shrinks again.
    if (reply.error?.C === OUT_OF_MEMORY) throw new BackendCrashed('out of memory');
    if (reply.status === 'I') {
      this.#release();
      return;
    }
    this.#owner = client;
    clearTimeout(this.#idleTimer);
    if (client.work.length === 0) this.#idleTimer = setTimeout(() => this.#expire(client), this.#idleLimit);
  }

  #expire(client) {
    if (client !== this.#owner || client.work.length > 0) return;
    this.#log(`client ${client.id} held the backend idle in a transaction for ${this.#idleLimit} ms: terminated`);
    client.refuse('25P03', 'terminating connection due to idle-in-transaction timeout');
    this.drop(client);
  }

  /** Runs `work`; when the WebAssembly instance dies in it, ends the client and opens the folder again. */
  #guard(client, work) {
    try {
      work();
    } catch (error) {
      if (!(error instanceof BackendCrashed)) throw error;
      const text = 'the embedded server crashed while running this statement and was restarted; the transaction is lost';
      client?.refuse('57P02', text);
      if (this.#owner && this.#owner !== client) this.#owner.refuse('57P02', text);
      this.#release();
      this.#reopen(error);
    }
  }

  #reopen(error) {
    this.#opening = true;
    this.#log(`backend crashed: ${error.message}`);
    const now = Date.now();
    this.#crashes = [...this.#crashes.filter((at) => now - at < CRASH_WINDOW_MS), now];
    this.#backend.abandon();
    if (this.#crashes.length > CRASHES_ALLOWED) {
      this.#fail(`more than ${CRASHES_ALLOWED} crashes in ${CRASH_WINDOW_MS / 1000} s`);
      return;
    }
    this.open().then(
      () => this.#log(`backend reopened in ${Date.now() - now} ms`),
      (cause) => this.#fail(`the data folder could not be reopened: ${cause?.message ?? cause}`),
    );
  }

  /** Version of the server as it reports it itself. */
  get version() {
    return this.#session.version;
  }

  /** Whether a login would have to wait for a client's transaction to end. */
  get occupied() {
    return this.#owner !== undefined || this.#opening;
  }

  /** What is known of `user` from an earlier login, for a login while the backend is occupied. */
  known(user) {
    return this.#session.known(user);
  }
}

