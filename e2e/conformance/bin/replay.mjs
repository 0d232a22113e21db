#!/usr/bin/env node
// Serves a folder of recordings as a fake provider on 127.0.0.1.
//   node bin/replay.mjs [--dir <recordings>] [--port 18080] [--mode events] [--strict] [--quiet]
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadCases } from '../lib/extract.mjs';
import { createReplay } from '../lib/replay.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values: o } = parseArgs({ options: {
  dir: { type: 'string', default: path.join(here, '..', '..', 'testdata', 'recordings') }, port: { type: 'string', default: '18080' },
  mode: { type: 'string', default: 'events' }, strict: { type: 'boolean', default: false }, quiet: { type: 'boolean', default: false }, list: { type: 'boolean', default: false },
} });
const cases = loadCases(o.dir);
if (o.list) {
  for (const c of cases) console.log(`${c.id.padEnd(52)} ${String(c.meta.status).padEnd(4)} ${(c.sse ? 'sse' : 'json').padEnd(5)} ${c.meta.notable.join(' ')}`);
  process.exit(0);
}
const replay = createReplay(cases, { defaultMode: o.mode, strict: o.strict, log: o.quiet ? () => {} : (m) => console.log(m) });
const port = await replay.listen(Number(o.port));
console.log(`replaying ${cases.length} cases on http://127.0.0.1:${port} (mode ${o.mode}${o.strict ? ', strict' : ''})`);
console.log(`select one with the model name "case:<id>", a base URL ending in /case/<id>, or the header x-replay-case`);
