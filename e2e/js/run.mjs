// Plays scenes with the official openai package: reads {address, key, scenes} as JSON from its standard input, and
// writes what the client saw as JSON to its standard output. The Go test says what that must be.
import OpenAI from 'openai';

const { address, key, scenes } = JSON.parse(await new Response(process.stdin).text());

const choiceOf = (choices, index) => (choices[index] ??= { text: '', reasoning: '', refusal: '', calls: [], finish: '' });
const usageOf = (u) => u && { prompt: u.prompt_tokens, completion: u.completion_tokens, total: u.total_tokens };

function addMessage(choice, message, finish) {
  choice.text += message.content ?? '';
  choice.reasoning += message.reasoning_content ?? message.reasoning ?? '';
  choice.refusal += message.refusal ?? '';
  for (const [i, call] of (message.tool_calls ?? []).entries()) {
    const into = (choice.calls[call.index ?? i] ??= { id: '', name: '', args: '' });
    into.id ||= call.id ?? '';
    into.name += call.function?.name ?? '';
    into.args += call.function?.arguments ?? '';
  }
  choice.finish = finish ?? choice.finish;
}

async function chat(client, scene, seen) {
  if (!scene.stream) {
    const answer = await client.chat.completions.create(scene.body);
    for (const c of answer.choices) addMessage(choiceOf(seen.choices, c.index), c.message, c.finish_reason);
    seen.usage = usageOf(answer.usage);
    return;
  }
  const options = { ...scene.body, stream: true, stream_options: { include_usage: true } };
  for await (const chunk of await client.chat.completions.create(options)) {
    seen.chunks++;
    for (const c of chunk.choices) addMessage(choiceOf(seen.choices, c.index), c.delta, c.finish_reason);
    seen.usage = usageOf(chunk.usage) ?? seen.usage;
  }
}

// The helper that gathers a stream for the application.
async function gathered(client, scene, seen) {
  const answer = await client.chat.completions.stream({ ...scene.body, stream_options: { include_usage: true } }).finalChatCompletion();
  for (const c of answer.choices) addMessage(choiceOf(seen.choices, c.index), c.message, c.finish_reason);
  seen.usage = usageOf(answer.usage);
}

async function play(client, scene, seen) {
  switch (scene.call) {
    case 'chat':
      return chat(client, scene, seen);
    case 'gathered':
      return gathered(client, scene, seen);
    case 'models':
      for await (const m of client.models.list()) seen.models.push(m.id);
      return;
    case 'model':
      seen.models.push((await client.models.retrieve(scene.body.model)).id);
      return;
    case 'embedding':
      seen.vector = (await client.embeddings.create({ ...scene.body, encoding_format: 'float' })).data[0].embedding;
      return;
  }
  throw new Error(`no such call: ${scene.call}`);
}

const all = await Promise.all(scenes.map(async (scene) => {
  const seen = { name: scene.name, choices: [], chunks: 0, models: [], vector: [], usage: null, error: null };
  const client = new OpenAI({ baseURL: address, apiKey: key, maxRetries: scene.retries });
  try {
    await play(client, scene, seen);
  } catch (e) {
    seen.error = { class: e.constructor.name, status: e.status ?? 0, code: String(e.code ?? ''), type: e.type ?? '', param: e.param ?? '', message: e.message };
  }
  return seen;
}));
console.log(JSON.stringify(all));
