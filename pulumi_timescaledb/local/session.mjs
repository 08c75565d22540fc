// Session state of the one backend: what a hand-over from one client to the next undoes and sets up again.
import { BackendCrashed, DEEP_STACK_SETTING } from './backend.mjs';
import { FLUSH, SYNC, identifier, literal, messages, strings } from './protocol.mjs';

const SUPERUSER = 'postgres';
const PREPARED_KEPT = 500; // named statements remembered per client
// The build starts with an empty search path, sequential scans off and writable system tables, none of which a real
// server does; what it logs goes nowhere and costs time.
const BASE = [
  'SET search_path TO "$user", public',
  'SET enable_seqscan TO on',
  'SET allow_system_table_mods TO off',
  'SET log_min_messages TO panic',
  DEEP_STACK_SETTING,
].join('; ');

export class Session {
  #backend;
  #current; // the client whose settings the backend has now
  #dirty = false; // the backend may be inside a transaction or an unfinished pipeline
  #pipeline = false; // an extended-query sequence waits for its Sync
  #shallow = false; // the client reset our own settings: no large stack until the next hand-over
  #live = new Set(); // named statements the backend holds for #current
  #roles = new Map(); // name -> {superuser, settings} as last read

  constructor(backend) {
    this.#backend = backend;
  }

  version = '';

  /** After opening the data folder: nothing of an earlier backend is left. @throws {BackendCrashed} */
  begin() {
    this.#forget();
    // Stands for shared_preload_libraries: without its hooks an INSERT into a hypertable is refused.
    this.#backend.sql("LOAD 'timescaledb'");
    this.version = firstRow(this.#backend.sql('SHOW server_version').data)[0];
  }

  #forget() {
    this.#current = undefined;
    this.#dirty = false;
    this.#pipeline = false;
    this.#shallow = false;
    this.#live.clear();
  }

  known(user) {
    return this.#roles.get(user);
  }

  /** Rolls back, drops all session state, becomes superuser. @throws {BackendCrashed} */
  reset() {
    if (this.#dirty && this.#backend.run(SYNC).status !== 'I') this.#backend.sql('ROLLBACK');
    this.#forget();
    // DISCARD ALL alone does not undo SET SESSION AUTHORIZATION here.
    for (const sql of ['DISCARD ALL', `SET SESSION AUTHORIZATION ${identifier(SUPERUSER)}`]) {
      const failed = this.#backend.sql(sql).error;
      if (failed) throw new BackendCrashed(`a hand-over failed with SQLSTATE ${failed.C}`);
    }
  }

  /**
   * Reads the role a client logs in as; {superuser, settings} or {refused: {code, text}}.
   * Call only while no client has a transaction open. @throws {BackendCrashed}
   */
  login(user) {
    this.reset();
    const reply = this.#backend.sql(
      `SELECT r.rolcanlogin, r.rolsuper, (SELECT json_agg(c ORDER BY s.setrole <> 0, s.setdatabase <> 0)
         FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) c
        WHERE s.setrole IN (0, r.oid)
          AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())))
         FROM pg_catalog.pg_authid r WHERE r.rolname = ${literal(user)}`,
    );
    const row = firstRow(reply.data);
    this.#roles.delete(user);
    if (row === undefined) return { refused: { code: '28000', text: `role ${identifier(user)} does not exist` } };
    if (row[0] !== 't') {
      return { refused: { code: '28000', text: `role ${identifier(user)} is not permitted to log in` } };
    }
    const settings = JSON.parse(row[2] ?? '[]').map((pair) => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    });
    const role = { superuser: row[1] === 't', settings };
    this.#roles.set(user, role);
    return role;
  }

  /**
   * Makes the backend the session of `client` and re-prepares the named statements `unit` uses.
   * Returns undefined, or {code, text} when the client may not go on. @throws {BackendCrashed}
   */
  enter(client, unit) {
    if (client !== this.#current) {
      this.reset();
      const failed = this.#backend.sql(this.#setup(client)).error;
      if (failed) {
        const gone = failed.C === '22023' && failed.M.startsWith('role ');
        return { code: gone ? '28000' : failed.C, text: failed.M };
      }
      this.#current = client;
    }
    if (client.prepared.size > 0) this.#prepare(client, unit);
    return undefined;
  }

  #setup(client) {
    const set = ([name, value]) => `; SELECT pg_catalog.set_config(${literal(name)}, ${literal(value)}, false)`;
    const isRole = ([name]) => name.toLowerCase() === 'role';
    const own = client.role.settings;
    return [
      BASE,
      ...own.filter((pair) => !isRole(pair)).map(set),
      `; SET SESSION AUTHORIZATION ${identifier(client.user)}`,
      ...own.filter(isRole).map(set),
      ...client.settings.map(set),
    ].join('');
  }

  #prepare(client, unit) {
    for (const name of statementsUsed(unit)) {
      const parse = client.prepared.get(name);
      if (parse === undefined || this.#live.has(name)) continue;
      // A failure (a table that is gone) surfaces as 26000, or 25P02 in a transaction, when the client uses it.
      const end = this.#pipeline ? FLUSH : SYNC;
      if (!this.#backend.run(Buffer.concat([parse, end]), !this.#shallow).error) this.#live.add(name);
    }
  }

  /** Runs a unit of the client that was let in. @throws {BackendCrashed} */
  run(client, unit) {
    const reply = this.#backend.run(unit, !this.#shallow);
    this.#learn(client, unit, reply);
    return reply;
  }

  /** Remembers what `unit` changed in the session of `client`. */
  #learn(client, unit, reply) {
    this.#dirty = reply.status !== 'I';
    this.#pipeline = reply.status === undefined;
    if (reply.tags.includes('RESET') || reply.tags.includes('DISCARD ALL')) this.#shallow = true;
    if (this.#shallow && !this.#dirty) this.#current = undefined;
    if (reply.tags.includes('DISCARD ALL') || reply.tags.includes('DEALLOCATE ALL')) {
      client.prepared.clear();
      this.#live.clear();
    }
    let parsed = reply.parsed; // Parse messages succeed in order, up to the first error
    for (const { type, start, end } of messages(unit)) {
      if (type === 'P' && parsed-- > 0) {
        const [name] = strings(unit, start + 5, 1);
        if (name === '') continue;
        client.prepared.delete(name);
        client.prepared.set(name, Buffer.from(unit.subarray(start, end)));
        this.#live.add(name);
        if (client.prepared.size > PREPARED_KEPT) client.prepared.delete(client.prepared.keys().next().value);
      } else if (type === 'C' && unit[start + 5] === 0x53) {
        const [name] = strings(unit, start + 6, 1);
        client.prepared.delete(name);
        this.#live.delete(name);
      }
    }
  }
}

/** Names of the prepared statements a unit binds or describes before parsing them itself. */
function statementsUsed(unit) {
  const used = new Set();
  const own = new Set();
  for (const { type, start } of messages(unit)) {
    let name = '';
    if (type === 'P') own.add(strings(unit, start + 5, 1)[0]);
    else if (type === 'B') name = strings(unit, start + 5, 2)[1];
    else if (type === 'D' && unit[start + 5] === 0x53) name = strings(unit, start + 6, 1)[0];
    if (name !== '' && !own.has(name)) used.add(name);
  }
  return used;
}

/** Columns of the first DataRow of a reply as text (null stays null), or undefined without a row. */
function firstRow(data) {
  for (const { type, start } of messages(data)) {
    if (type !== 'D') continue;
    const columns = [];
    let at = start + 7;
    for (let i = data.readInt16BE(start + 5); i > 0; i--) {
      const length = data.readInt32BE(at);
      columns.push(length < 0 ? null : data.toString('utf8', at + 4, at + 4 + length));
      at += 4 + Math.max(length, 0);
    }
    return columns;
  }
  return undefined;
}

