"""One workload on OpenVINO GenAI; prints one JSON object. Run by run.py inside the peers' environment.

OpenVINO counts its own time per token, so a single stream is judged by what it says of itself; the batched
workloads are timed from outside, prompt included.
"""

import argparse
import json
import resource
import sys
import time

import openvino as ov
import openvino_genai as genai


def settings(tokens, **more):
    config = genai.GenerationConfig()
    config.max_new_tokens = tokens
    config.ignore_eos = True
    config.apply_chat_template = False
    for name, value in more.items():
        setattr(config, name, value)
    return config


def as_input(ids):
    import numpy as np

    return ov.Tensor(np.array([ids], dtype=np.int64))


def scheduler(prefix_caching):
    config = genai.SchedulerConfig()
    config.cache_size = 2
    config.max_num_seqs = 256
    config.enable_prefix_caching = prefix_caching
    return config


def single(options, ids):
    """Tokens a second while decoding, prompt excluded."""
    pipe = genai.LLMPipeline(options.model, "CPU", INFERENCE_NUM_THREADS=options.threads)
    values = []
    for _ in range(options.rounds + 1):
        result = pipe.generate(as_input(ids[: options.prompt]), settings(options.tokens))
        values.append(1000 / result.perf_metrics.get_tpot().mean)
    return values[1:]


def prompt(options, ids):
    """Prompt tokens a second, up to the first new token. Every round has its own prompt: this pipeline remembers."""
    pipe = genai.LLMPipeline(options.model, "CPU", INFERENCE_NUM_THREADS=options.threads)
    values = []
    for turn in range(options.rounds + 1):
        result = pipe.generate(as_input([ids[turn]] + ids[: options.prompt - 1]), settings(1))
        values.append(options.prompt * 1000 / result.perf_metrics.get_ttft().mean)
    return values[1:]


def streams(options, ids):
    """Generated tokens a second over all streams, with prompts that differ; prompts' time included."""
    pipe = genai.ContinuousBatchingPipeline(
        options.model, scheduler(False), "CPU", {"INFERENCE_NUM_THREADS": options.threads}
    )
    inputs = [as_input(ids[i * options.prompt : (i + 1) * options.prompt]) for i in range(options.streams)]
    values = []
    for _ in range(options.rounds + 1):
        start = time.perf_counter()
        results = pipe.generate(inputs, [settings(options.tokens)] * options.streams)
        elapsed = time.perf_counter() - start
        values.append(sum(len(r.m_generation_ids[0]) for r in results) / elapsed)
    return values[1:]


def continuations(options, ids):
    """Generated tokens a second over many continuations of one prompt, its processing included.

    The prompt is sent once by itself first, so that the prefix cache holds it when the others arrive: that is
    the order most in this engine's favour. Every round uses a prompt not seen before.
    """
    pipe = genai.ContinuousBatchingPipeline(
        options.model, scheduler(True), "CPU", {"INFERENCE_NUM_THREADS": options.threads}
    )
    values = []
    for turn in range(options.rounds + 1):
        shared = as_input([ids[turn]] + ids[: options.prompt - 1])
        start = time.perf_counter()
        pipe.generate([shared], [settings(1)])
        results = pipe.generate([shared] * options.streams, [settings(options.tokens)] * options.streams)
        elapsed = time.perf_counter() - start
        values.append(sum(len(r.m_generation_ids[0]) for r in results) / elapsed)
    return values[1:]


def first(options, ids):
    """Seconds from entering this script to the first token; the caller times the whole process."""
    pipe = genai.LLMPipeline(options.model, "CPU", INFERENCE_NUM_THREADS=options.threads)
    pipe.generate(as_input(ids[: options.prompt]), settings(1))
    return []


def main():
    workloads = {f.__name__: f for f in (single, prompt, streams, continuations, first)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=workloads)
    parser.add_argument("--model", required=True)
    parser.add_argument("--ids", required=True, help="a JSON file with a list of token ids to draw prompts from")
    parser.add_argument("--prompt", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--streams", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with open(options.ids) as file:
        ids = json.load(file)
    values = workloads[options.workload](options, ids)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"values": values, "peakBytes": peak}))


if __name__ == "__main__":
    main()
