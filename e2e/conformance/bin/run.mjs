#!/usr/bin/env node
// Runs the conformance cases against a gateway.
//   node bin/run.mjs --gateway http://127.0.0.1:8080/v1 --replay-port 18080 [--model '{provider}/{model}~case:{id}'] [--dir <recordings>]
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { loadAll } from '../lib/extract.mjs';
import { runAll, printReport, summarize } from '../lib/runner.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values: o } = parseArgs({ options: {
  gateway: { type: 'string', default: 'http://127.0.0.1:8080/v1' }, dir: { type: 'string', multiple: true }, 'replay-port': { type: 'string', default: '18080' },
  model: { type: 'string', default: '{provider}/{model}~case:{id}' }, header: { type: 'string', multiple: true, default: [] }, key: { type: 'string', default: 'test-client-key' },
  adapter: { type: 'string' }, only: { type: 'string' }, skip: { type: 'string' }, family: { type: 'string', multiple: true }, passes: { type: 'string' }, quick: { type: 'boolean', default: false },
  concurrency: { type: 'string', default: '8' }, timeout: { type: 'string', default: '20000' }, schema: { type: 'string' }, ignore: { type: 'string', default: '' }, 'gateway-has-keys': { type: 'boolean', default: false },
  json: { type: 'string' }, verbose: { type: 'boolean', short: 'v', default: false }, should: { type: 'boolean', default: false }, quiet: { type: 'boolean', short: 'q', default: false }, providers: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false },
} });
if (o.help) { console.log(fs.readFileSync(path.join(here, '..', 'README.md'), 'utf8')); process.exit(0); }

const dirs = o.dir?.length ? o.dir : [path.join(here, '..', '..', 'testdata', 'recordings')];
let cases = loadAll(dirs);
if (o.only) { const re = new RegExp(o.only); cases = cases.filter((c) => re.test(c.id)); }
if (o.skip) { const re = new RegExp(o.skip); cases = cases.filter((c) => !re.test(c.id)); }
if (o.family?.length) cases = cases.filter((c) => o.family.includes(c.family));
if (!cases.length) { console.error('no cases'); process.exit(2); }
if (o.providers) { // what the gateway has to be configured with
  const m = new Map();
  for (const c of cases) m.set(c.provider, [c.family, (m.get(c.provider)?.[1] || 0) + 1]);
  for (const [k, [f, n]] of [...m].sort()) console.log(`${k.padEnd(18)} ${f.padEnd(10)} ${n} cases`);
  process.exit(0);
}

const fill = (t, c, x) => t.replace(/\{(\w+)\}/g, (_, k) => ({ provider: c.provider, family: c.family, id: c.id, model: (c.meta.model ?? 'some-model').split('/').pop().replace(/[^\w.-]/g, '-'), replay: x.replayBase })[k] ?? '');
const builtin = {
  address: (c, x) => ({
    baseURL: fill(o.gateway, c, x), apiKey: o.key, model: fill(o.model, c, x),
    headers: Object.fromEntries(o.header.map((h) => { const i = h.indexOf(':'); return [h.slice(0, i).trim(), fill(h.slice(i + 1).trim(), c, x)]; })),
  }),
};
const adapterFile = o.adapter && (/[/.]/.test(o.adapter) ? path.resolve(o.adapter) : path.join(here, '..', 'adapters', o.adapter + '.mjs'));
const adapter = adapterFile ? (await import(pathToFileURL(adapterFile))).default : builtin;
if (adapter.filter) cases = cases.filter(adapter.filter);

const started = Date.now();
let n = 0;
const toStdout = o.json === '-';
const results = await runAll({
  cases, adapter, gateway: o.gateway, replayPort: Number(o['replay-port']), concurrency: Number(o.concurrency), timeoutMs: Number(o.timeout), schemaFile: o.schema, quick: o.quick,
  passes: o.passes ? o.passes.split(',') : null, gatewayHasKeys: o['gateway-has-keys'], ignore: o.ignore.split(',').filter(Boolean),
  log: (r) => { n++; if (!o.quiet && !toStdout && process.stderr.isTTY) process.stderr.write(`\r${n}/${cases.length} ${r.id.padEnd(50).slice(0, 50)}`); },
});
if (!toStdout && process.stderr.isTTY) process.stderr.write('\r' + ' '.repeat(70) + '\r');
const summary = toStdout ? summarize(results) : printReport(results, { verbose: o.verbose, should: o.should });
const doc = { summary, seconds: (Date.now() - started) / 1000, results };
if (toStdout) console.log(JSON.stringify(doc, null, 1));
else {
  if (o.json) fs.writeFileSync(o.json, JSON.stringify(doc, null, 1) + '\n');
  console.log(`\n${summary.pass}/${summary.cases} cases pass in ${doc.seconds.toFixed(0)} s`);
}
process.exit(summary.pass === summary.cases ? 0 : 1);
