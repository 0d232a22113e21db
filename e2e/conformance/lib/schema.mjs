// Validation against the published OpenAI schema (an extract of the OpenAPI document, kept as data).
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const here = path.dirname(fileURLToPath(import.meta.url));
export const DEFAULT_SCHEMA = path.join(here, '..', '..', 'testdata', 'openai-schema', 'chat-completions.schema.json');

// OpenAPI 3.0's "nullable: true" still appears in the document: turned into plain JSON Schema.
function nullable(x) {
  if (Array.isArray(x)) return x.map(nullable);
  if (!x || typeof x !== 'object') return x;
  const o = {};
  for (const [k, v] of Object.entries(x)) o[k] = k === 'enum' || k === 'const' || k === 'default' || k === 'required' ? v : nullable(v);
  if (o.nullable === true) {
    delete o.nullable;
    return { anyOf: [o, { type: 'null' }] };
  }
  delete o.nullable;
  return o;
}
// The lenient form forgives what nearly every OpenAI-compatible provider does: leaving out "refusal" and
// "logprobs", null for optional members, vendor values of service_tier. It keeps every type and every name.
const FORGIVEN = new Set(['refusal', 'logprobs', 'annotations']);
function lenient(x, key = '') {
  if (Array.isArray(x)) return x.map((v) => lenient(v));
  if (!x || typeof x !== 'object') return x;
  const o = {};
  for (const [k, v] of Object.entries(x)) {
    if (k === 'required' && Array.isArray(v)) { const r = v.filter((n) => !FORGIVEN.has(n)); if (r.length) o.required = r; } else if (k === 'properties') {
      const req = new Set(Array.isArray(x.required) ? x.required : []);
      o.properties = Object.fromEntries(Object.entries(v).map(([n, s]) => [n, n === 'service_tier' ? {} : req.has(n) && !FORGIVEN.has(n) ? lenient(s, n) : { anyOf: [lenient(s, n), { type: 'null' }] }]));
    } else if (k === 'enum' || k === 'const' || k === 'default') o[k] = v;
    else o[k] = lenient(v, k);
  }
  return o;
}

export function loadSchema(file = DEFAULT_SCHEMA) {
  const doc = JSON.parse(fs.readFileSync(file, 'utf8'));
  const make = (d, id) => {
    const ajv = new Ajv2020({ strict: false, allErrors: false, validateFormats: false });
    addFormats(ajv);
    ajv.addSchema({ ...d, $id: id });
    const get = (name) => ajv.compile({ $ref: `${id}#/$defs/${name}` });
    const fns = { completion: get('CreateChatCompletionResponse'), chunk: get('CreateChatCompletionStreamResponse'), error: get('ErrorResponse') };
    return (kind, value) => {
      const f = fns[kind];
      if (f(value)) return null;
      const e = f.errors[0];
      return `${e.instancePath || '/'} ${e.message}${e.params?.allowedValues ? ' ' + JSON.stringify(e.params.allowedValues) : ''}`;
    };
  };
  const strictDoc = nullable(doc);
  return { strict: make(strictDoc, 'openai-strict'), lenient: make({ ...strictDoc, $defs: Object.fromEntries(Object.entries(strictDoc.$defs).map(([k, v]) => [k, lenient(v)])) }, 'openai-lenient') };
}
