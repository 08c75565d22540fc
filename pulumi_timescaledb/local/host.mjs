// Host program of the embedded engine: one pglite backend behind the PostgreSQL wire protocol.
// Started by server.py, which holds the folder's lock and hands it over as an inherited descriptor.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import v8 from 'node:v8';
import { parseArgs } from 'node:util';
import { Backend } from './backend.mjs';
import { Client } from './client.mjs';
import { Pool } from './pool.mjs';
import { report } from './protocol.mjs';

// A server lives for a minute or for days: functions are compiled well once they have run for longer than Node 20 thinks.
// A fresh `up` of Flows: 19.1, 17.1, 17.5 s of CPU here before, 14.9, 15.6, 15.4 s with it;
// the load test and the demo's load are not slower.
// An engine that does not know the flag goes on without it.
v8.setFlagsFromString('--wasm-tiering-budget=100000000');

const LOG_LIMIT = 512 * 1024; // bytes; one older file of the same size is kept
const FOLDER_CHECK_MS = 2000;

const { values: options } = parseArgs({
  options: {
    folder: { type: 'string' },
    'socket-dir': { type: 'string' },
    port: { type: 'string', default: '5432' },
    'tcp-port': { type: 'string' },
    'max-clients': { type: 'string', default: '100' },
    'idle-limit-ms': { type: 'string', default: '60000' },
  },
});

process.umask(0o077);
const folder = path.resolve(options.folder);
const data = path.join(folder, 'data');
const socketPath = path.join(options['socket-dir'], `.s.PGSQL.${options.port}`);
const logPath = path.join(folder, 'host.log');

/** One line of what the host did. Never SQL, parameters or error texts of statements: they hold values. */
function log(text) {
  try {
    if ((fs.statSync(logPath, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT) {
      fs.renameSync(logPath, `${logPath}.1`);
    }
    fs.appendFileSync(logPath, `${new Date().toISOString()} ${text}\n`);
  } catch {
    // The folder is gone; the folder check ends the process.
  }
}

const clients = new Set();
const servers = [];
let stopping = false;

function stop(reason, code) {
  if (stopping) return;
  stopping = true;
  log(`stopping: ${reason}`);
  for (const server of servers) server.close();
  const goodbye = report('FATAL', '57P01', 'terminating connection because the embedded server is stopping');
  for (const client of clients) {
    client.send(goodbye);
    client.finish();
  }
  pool.close();
  fs.rmSync(socketPath, { force: true });
  log('stopped');
  // The farewells are written asynchronously.
  setTimeout(() => process.exit(code), 50);
}

function die(reason) {
  log(`failed: ${reason}`);
  fs.rmSync(socketPath, { force: true });
  process.exit(1);
}

process.on('uncaughtException', (error) => die(error?.stack ?? String(error)));
process.on('unhandledRejection', (error) => die(error?.stack ?? String(error)));
process.on('SIGTERM', () => stop('SIGTERM', 0));
process.on('SIGINT', () => stop('SIGINT', 0));
process.on('SIGHUP', () => {});

const pool = new Pool({
  backend: new Backend(data),
  idleLimit: Number(options['idle-limit-ms']),
  log,
  fail: die,
});

function accept(socket) {
  const full = clients.size >= Number(options['max-clients']);
  const client = new Client({ socket, pool, full, onClose: (gone) => clients.delete(gone) });
  clients.add(client);
}

function listen(where) {
  const server = net.createServer(accept);
  servers.push(server);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, resolve);
  });
}

/** Records who we are for server.py: the start time and boot id tell us from a later process with our pid. */
function record() {
  const stat = fs.readFileSync('/proc/self/stat', 'utf8');
  const started = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const file = path.join(folder, 'host.json');
  fs.writeFileSync(`${file}.partial`, JSON.stringify({ pid: process.pid, started, boot }));
  fs.renameSync(`${file}.partial`, file);
}

const begun = Date.now();
record();
log(`starting: process ${process.pid}, node ${process.version}`);
try {
  await pool.open();
  fs.rmSync(socketPath, { force: true });
  await listen({ path: socketPath });
  if (options['tcp-port']) await listen({ host: '127.0.0.1', port: Number(options['tcp-port']) });
} catch (error) {
  die(error?.message ?? String(error));
}
log(`ready in ${Date.now() - begun} ms`);

const version = fs.statSync(path.join(data, 'PG_VERSION')).ino;
setInterval(() => {
  const found = fs.statSync(path.join(data, 'PG_VERSION'), { throwIfNoEntry: false });
  if (found?.ino !== version) stop('the data folder disappeared', 0);
}, FOLDER_CHECK_MS);
