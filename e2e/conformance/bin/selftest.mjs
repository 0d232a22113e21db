#!/usr/bin/env node
// Tests the harness itself: a gateway that knows the answers must pass everything, and every planted mistake
// must be noticed by the check that is there for it.
//   node bin/selftest.mjs [--dir <recordings>] [--only <regex>]
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadAll } from '../lib/extract.mjs';
import { runAll, summarize, printReport } from '../lib/runner.mjs';
import { createOracle } from '../lib/oracle.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values: o } = parseArgs({ options: { dir: { type: 'string', multiple: true }, only: { type: 'string' }, mutation: { type: 'string' }, verbose: { type: 'boolean', short: 'v', default: false } } });
const dirs = o.dir?.length ? o.dir : [path.join(here, '..', '..', 'testdata', 'recordings')];
let cases = loadAll(dirs);
if (o.only) cases = cases.filter((c) => new RegExp(o.only).test(c.id));

async function against(mutate, subset, options = {}) {
  const holder = {};
  const oracle = createOracle({ cases: subset, get replayBase() { return holder.base; }, mutate });
  await new Promise((ok) => oracle.listen(0, '127.0.0.1', ok));
  const gateway = `http://127.0.0.1:${oracle.address().port}/v1`;
  const adapter = { address: (c, x) => { holder.base = x.replayBase; return { baseURL: gateway, apiKey: 'client-key', model: `${c.provider}/case:${c.id}`, headers: {} }; } };
  // the oracle reads replayBase lazily, from the first address() call on
  const results = await runAll({ cases: subset, adapter, gateway, ...options });
  oracle.closeAllConnections(); oracle.close();
  return results;
}

let bad = 0;
if (!o.mutation) {
  const t = Date.now();
  const all = await against({}, cases);
  const s = summarize(all);
  console.log(`oracle: ${s.pass}/${s.cases} cases pass in ${((Date.now() - t) / 1000).toFixed(0)} s`);
  if (s.pass !== s.cases) { bad++; printReport(all, { verbose: true }); }
  else if (o.verbose) printReport(all, { should: true });
}

const pick = (re, n = 6) => cases.filter((c) => re.test(c.id)).slice(0, n);
const texts = pick(/^anthropic\.(stream|json)-text/), tools = pick(/^(anthropic|gemini)\.(stream|json)-.*tools?(-|$)/, 8), thinking = pick(/^(anthropic|gemini)\.(stream|json)-thinking/, 8), errors = pick(/^anthropic\.error/), streams = pick(/^(anthropic|gemini)\.stream-text/), jsons = pick(/^(anthropic|gemini)\.json-text/), cached = pick(/^(anthropic|gemini)\..*cached/), longer = cases.filter((c) => c.sse && c.family !== 'openai' && c.expected.kind === 'ok' && c.body.length > 2500).slice(0, 6);
const each = (f) => (out) => { out.choices.forEach(f); return out; };
const M = [
  ['text loses its last character', texts, { answer: each((e) => { e.text = e.text.slice(0, -1); }) }, 'text'],
  ['text blocks joined with newlines', pick(/^anthropic\.(stream|json)-(web-search|code-exec|mcp)/), { answer: each((e) => { e.text = e.text.replace(/\. /, '.\n '); }) }, 'text'],
  ['finish_reason always stop', tools, { answer: each((e) => { e.finish = 'stop'; }) }, 'finish'],
  ['native finish reason passed on', jsons, { answer: each((e) => { e.finish = 'end_turn'; }) }, 'finish'],
  ['tool arguments as an object', pick(/^(anthropic|gemini)\.json-tool/), { json: (j) => { j.choices.forEach((c) => c.message.tool_calls?.forEach((t) => { t.function.arguments = { a: 1 }; })); return j; } }, 'schema'],
  ['tool arguments lost', tools, { answer: each((e) => e.tools.forEach((t) => { t.args = { wrong: 1 }; })) }, 'tools'],
  ['tool id replaced', pick(/^anthropic\..*tool/), { answer: each((e) => e.tools.forEach((t) => { t.id = 'call_x' + Math.random(); })) }, 'tools'],
  ['one of two tool calls lost', pick(/-tools(-|$)/), { answer: each((e) => { e.tools = e.tools.slice(0, 1); }) }, 'tools'],
  ['server tool shown as a tool call', pick(/^anthropic\..*(web-search|code-exec)/), { answer: each((e) => { e.tools.push({ id: 'srv', name: 'web_search', args: {} }); }) }, 'tools'],
  ['reasoning dropped', thinking, { answer: each((e) => { e.reasoning = ''; }) }, 'reasoning'],
  ['reasoning put into the text', thinking, { answer: each((e) => { e.text = e.reasoning + e.text; e.reasoning = ''; }) }, 'text'],
  ['prompt_tokens without the cached ones', pick(/^anthropic\..*cached/), { answer: (a, c) => { a.usage.prompt_tokens -= c.expected.usage.cached; a.usage.total_tokens -= c.expected.usage.cached; return a; } }, 'usage'],
  ['cached_tokens missing', cached, { answer: (a) => { delete a.usage.prompt_tokens_details; return a; } }, 'usage-details'],
  ['completion without thoughts', pick(/^gemini\..*thinking/), { answer: (a) => { const r = a.usage.completion_tokens_details.reasoning_tokens; a.usage.completion_tokens -= r; a.usage.total_tokens -= r; return a; } }, 'usage'],
  ['total does not add up', jsons, { answer: (a) => { if (a.usage) a.usage.total_tokens += 5; return a; } }, 'usage'],
  ['no usage chunk', streams, { chunks: (l) => l.filter((j) => !j.usage) }, 'usage'],
  ['usage inside the finish chunk', streams, { chunks: (l) => { const u = l.at(-1).usage; if (!u) return l; l.pop(); l.at(-1).usage = u; return l; } }, 'usage-chunk'],
  ['usage although not asked for', streams, { alwaysUsage: true }, 'usage-chunk'],
  ['no [DONE]', streams, { noDone: true }, 'done'],
  ['two finish reasons', streams, { chunks: (l) => { const k = l.findIndex((j) => j.choices[0]?.finish_reason); return [...l.slice(0, k + 1), l[k], ...l.slice(k + 1)]; } }, 'order'],
  ['content after the finish', streams, { chunks: (l) => { const k = l.findIndex((j) => j.choices[0]?.finish_reason); const [f] = l.splice(k, 1); l.splice(0, 0, f); return l; } }, 'order'],
  ['chunk ids not stable', streams, { chunks: (l) => l.map((j, i) => ({ ...j, id: 'chatcmpl-' + i })) }, 'shape'],
  ['object wrong in chunks', streams, { chunks: (l) => l.map((j) => ({ ...j, object: 'chat.completion' })) }, 'shape'],
  ['"error": null in chunks', streams, { chunks: (l) => l.map((j) => ({ ...j, error: null })) }, 'shape'],
  ['created missing', jsons, { json: (j) => { delete j.created; return j; } }, 'shape'],
  ['content as a list', jsons, { json: (j) => { j.choices[0].message.content = [{ type: 'text', text: j.choices[0].message.content }]; return j; } }, 'shape'],
  ['tool call delta without index', pick(/^(anthropic|gemini)\.stream-.*tool/), { chunks: (l) => { l.forEach((j) => j.choices.forEach((c) => c.delta.tool_calls?.forEach((t) => { delete t.index; }))); return l; } }, 'tools'],
  ['error envelope in the provider\'s format', errors, { envelope: (e) => ({ type: 'error', ...e.error }) }, 'envelope'],
  ['upstream error becomes 500', pick(/^anthropic\.error-(401|404|429)/), { status: () => 500 }, 'status'],
  ['upstream error becomes 200', errors, { status: () => 200 }, 'status'],
  ['stream buffered', longer, { buffer: true }, 'flush'],
  ['broken stream ends with stop', longer, { silentCut: true }, 'cut'],
  ['max_tokens missing upstream', pick(/^anthropic\.(json|stream)-text/), { request: (p) => { delete p.max_tokens; } }, 'upstream'],
  ['OpenAI-only field sent to Anthropic', texts, { request: (p) => { p.frequency_penalty = 0; } }, 'upstream'],
  ['system text lost', texts, { request: (p) => { delete p.system; } }, 'fidelity'],
  ['tools lost upstream', tools, { request: (p) => { delete p.tools; delete p.tool_choice; delete p.toolConfig; } }, 'fidelity'],
  ['JSON-Schema keyword sent to Gemini', pick(/^gemini\..*tool/), { request: (p) => { p.tools?.forEach((t) => t.functionDeclarations.forEach((f) => { f.parameters = { type: 'object', properties: {}, $schema: 'x' }; delete f.parametersJsonSchema; })); } }, 'upstream'],
];
let noticed = 0;
for (const [name, subset, mutate, check] of M) {
  if (o.mutation && !name.includes(o.mutation)) continue;
  if (!subset.length) { console.log(`  -     ${name}: no case for it here`); continue; }
  const results = await against(mutate, subset, { quick: true });
  const hit = results.filter((r) => r.must.some((m) => m.check === check)).length;
  if (hit) noticed++; else bad++;
  if (!hit || o.verbose || o.mutation) { console.log(`  ${hit ? 'ok' : 'MISS'}    ${name}: ${hit}/${results.length} cases fail "${check}"`); if (!hit || o.mutation) for (const r of results) for (const m of r.must) console.log(`          ${r.id} [${m.check}] ${m.msg}`); }
}
console.log(`mutations: ${noticed} noticed${bad ? `, ${bad} problems` : ''}`);
process.exit(bad ? 1 : 0);
