"""Plays scenes with the official openai package.

Reads {address, key, scenes} as JSON from its standard input, and writes what the client
saw as JSON to its standard output. The Go test says what that must be.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import openai


def choice_of(seen, index):
    while len(seen["choices"]) <= index:
        seen["choices"].append({"text": "", "reasoning": "", "refusal": "", "calls": [], "finish": ""})
    return seen["choices"][index]


def usage_of(usage):
    if usage is None:
        return None
    return {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens, "total": usage.total_tokens}


def add_message(choice, message, finish):
    choice["text"] += message.content or ""
    choice["reasoning"] += getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None) or ""
    choice["refusal"] += message.refusal or ""
    for i, call in enumerate(message.tool_calls or []):
        at = getattr(call, "index", i)
        at = i if at is None else at
        while len(choice["calls"]) <= at:
            choice["calls"].append({"id": "", "name": "", "args": ""})
        into = choice["calls"][at]
        into["id"] = into["id"] or call.id or ""
        if call.function is not None:
            into["name"] += call.function.name or ""
            into["args"] += call.function.arguments or ""
    choice["finish"] = finish or choice["finish"]


def chat(client, scene, seen):
    if not scene["stream"]:
        answer = client.chat.completions.create(**scene["body"])
        for c in answer.choices:
            add_message(choice_of(seen, c.index), c.message, c.finish_reason)
        seen["usage"] = usage_of(answer.usage)
        return
    for chunk in client.chat.completions.create(**scene["body"], stream=True, stream_options={"include_usage": True}):
        seen["chunks"] += 1
        for c in chunk.choices:
            add_message(choice_of(seen, c.index), c.delta, c.finish_reason)
        seen["usage"] = usage_of(chunk.usage) or seen["usage"]


def gathered(client, scene, seen):
    """The helper that gathers a stream for the application."""
    with client.chat.completions.stream(**scene["body"], stream_options={"include_usage": True}) as stream:
        answer = stream.get_final_completion()
    for c in answer.choices:
        add_message(choice_of(seen, c.index), c.message, c.finish_reason)
    seen["usage"] = usage_of(answer.usage)


def models(client, scene, seen):
    seen["models"] += [m.id for m in client.models.list()]


def model(client, scene, seen):
    seen["models"].append(client.models.retrieve(scene["body"]["model"]).id)


def embedding(client, scene, seen):
    seen["vector"] = client.embeddings.create(**scene["body"], encoding_format="float").data[0].embedding


CALLS = {"chat": chat, "gathered": gathered, "models": models, "model": model, "embedding": embedding}


def play(client, scene):
    seen = {"name": scene["name"], "choices": [], "chunks": 0, "models": [], "vector": [], "usage": None, "error": None}
    try:
        CALLS[scene["call"]](client.with_options(max_retries=scene["retries"]), scene, seen)
    except Exception as e:  # whatever the client raises is what the test is about
        seen["error"] = {
            "class": type(e).__name__,
            "status": getattr(e, "status_code", 0),
            "code": str(getattr(e, "code", None) or ""),
            "type": getattr(e, "type", None) or "",
            "param": getattr(e, "param", None) or "",
            "message": str(e),
        }
    return seen


def main():
    job = json.load(sys.stdin)
    with openai.OpenAI(base_url=job["address"], api_key=job["key"]) as client, ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda scene: play(client, scene), job["scenes"]))
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
