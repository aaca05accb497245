"""Lyceum beside its peers: every workload on every engine, in turn, several rounds, medians and ratios.

Prints a table and writes Benchmarks/results.json. `make bench` calls it with the peers set up.
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from functools import partialmethod

from noise import CORES, Watch, machine

HERE = pathlib.Path(__file__).resolve().parent
QUIET = 0.10  # the share of the machine that others may use before a figure is doubted
HELP_BAR = 50.0  # milliseconds

STREAMS, STREAM_PROMPT, STREAM_TOKENS = 16, 16, 128
LONG_PROMPT = 512
SHARED_PROMPT, CONTINUATIONS, CONTINUATION_TOKENS = 1024, 64, 32
QUESTIONS, SAMPLES, SAMPLE_TOKENS = 50, 32, 32
STEERING_BAR, CONTRAST_BAR = 1.2, 2.1  # times plain decoding
FLOOR_BAR, FROZEN_BAR = 0.65, 1200.0  # of the matrix products' rate; MB
RANKS_BAR = 0.9  # of one process's speed
QUESTION = "The capital of France is"


def cache_folder():
    if "LYCEUM_CACHE" in os.environ:
        return pathlib.Path(os.environ["LYCEUM_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "lyceum"


class Failed(Exception):
    """An engine could not do a workload; the others go on."""


def output(command):
    """What a command prints; its log is shown only when it fails."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0:
        raise Failed(f"{command[0]} ended with {result.returncode}: {result.stderr.strip()[-500:]}")
    return result.stdout


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def reaped(process):
    """Waits for the end of a process; its peak resident memory in MB."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def session(command):
    """Runs a command: seconds to its first byte of output, and its peak resident memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    first = os.read(process.stdout.fileno(), 1)
    elapsed = time.perf_counter() - start
    process.stdout.read()
    peak = reaped(process)
    if process.returncode != 0 or not first:
        raise Failed(f"{command[0]} ended with {process.returncode}")
    return elapsed, peak


def watched(command):
    """What a command prints, and its peak resident memory in MB."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        text = process.stdout.read()
        peak = reaped(process)
        if process.returncode != 0:
            log.seek(0)
            raise Failed(f"{command[0]} ended with {process.returncode}: {log.read().decode()[-500:].strip()}")
    return text, peak


class Trains:
    """Training workloads: each runs in a process of its own, which gives the speed and the peak of memory.

    An engine says by `training` how the process is started.
    """

    peaks = {}

    def train(self, what):
        text, peak = watched([*map(str, self.training(what))])
        self.peaks = self.peaks | {what: peak}
        return statistics.median(json_lines(text)[-1]["values"])

    def peak(self, what):
        """Of the run before, when there was one."""
        if what not in self.peaks:
            self.train(what)
        return self.peaks[what]

    train_full, full_memory = partialmethod(train, "full"), partialmethod(peak, "full")
    train_lora, lora_memory = partialmethod(train, "lora"), partialmethod(peak, "lora")
    train_dpo, dpo_memory = partialmethod(train, "dpo"), partialmethod(peak, "dpo")
    train_scratch, scratch_memory = partialmethod(train, "scratch"), partialmethod(peak, "scratch")
    train_grpo, grpo_memory = partialmethod(train, "grpo"), partialmethod(peak, "grpo")


class Lyceum(Trains):
    """`lyceum bench WORKLOAD --json` prints {"values": […]}; the rest goes through the ordinary commands."""

    name = "lyceum"

    def __init__(self, options):
        self.binary, self.model, self.options = options.lyceum, options.model, options
        self.question = pathlib.Path(options.scratch) / "question.txt"
        self.question.write_text(QUESTION)

    def bench(self, workload, *more):
        text = output([self.binary, "bench", workload, "--model", self.model, "--json", *map(str, more)])
        return statistics.median(json.loads(text)["values"])

    def single_stream(self):
        return self.bench("single-stream", "--tokens", 128)

    def streams(self, *more):
        return self.bench("streams", "--streams", STREAMS, "--prompt", STREAM_PROMPT, "--tokens", STREAM_TOKENS, *more)

    def prompt(self, *more):
        return self.bench("prompt", "--prompt", LONG_PROMPT, *more)

    def continuations(self, *more):
        return self.bench(
            "continuations", "--streams", CONTINUATIONS, "--prompt", SHARED_PROMPT, "--tokens", CONTINUATION_TOKENS,
            *more,
        )

    streams_fast = partialmethod(streams, "--precision", "fast")
    prompt_fast = partialmethod(prompt, "--precision", "fast")
    continuations_fast = partialmethod(continuations, "--precision", "fast")

    def votes(self, workload="votes", model=None):
        """Once a round: it takes minutes."""
        text = output(
            [self.binary, "bench", workload, "--model", model or self.model, "--json", "--rounds", "1",
             "--questions", str(QUESTIONS), "--samples", str(SAMPLES), "--tokens", str(SAMPLE_TOKENS)]
        )
        return json.loads(text)["values"][0]

    def steering(self):
        return self.bench("steering")

    def contrast(self):
        return self.bench("contrast")

    def tokenize(self):
        return self.bench("tokenize", "--text", self.options.text)

    def training(self, what):
        return [self.binary, "bench", "training", "--what", what, "--model", self.model, "--json",
                "--rounds", self.options.steps]

    def ranks_share(self):
        """Two processes' speed on the machine as a share of one's, all weights."""
        one = self.train("full")
        ranks = ["mpirun", "--bind-to", "none", "-n", "2", *map(str, self.training("full"))]
        return statistics.median(json_lines(output(ranks))[-1]["values"]) / one

    def full_share(self):
        """Of what the matrix products alone would allow, in oneDNN as either side calls it, whichever is faster."""
        floor = max(self.train("products-full"), PyTorch(self.options).train("products-full"))
        return self.train("full") / floor

    def lora_frozen(self):
        return self.peak("lora")

    def generate(self, tokens):
        return session(
            [self.binary, "generate", "--model", self.model, "--raw", "--prompt-file", str(self.question),
             "--max-tokens", str(tokens), "--temperature", "0", "--ignore-eos"]
        )

    def first_token(self):
        return self.generate(1)[0] * 1000

    def peak_memory(self):
        return self.generate(128)[1]

    def help(self):
        start = time.perf_counter()
        output([self.binary, "--help"])
        return (time.perf_counter() - start) * 1000


class Llama:
    """llama.cpp, each workload with the settings that serve it best."""

    name = "llama.cpp"

    def __init__(self, options):
        self.folder, self.model = pathlib.Path(options.llama), options.model
        self.threads = str(options.threads)

    def bench(self, *arguments):
        """llama-bench with weights as they are and repacked; the better of the two."""
        text = output(
            [str(self.folder / "llama-bench"), "-m", self.model, "-t", self.threads, "--repack", "0,1", "-r", "1",
             "-o", "jsonl", *arguments]
        )
        return max(row["avg_ts"] for row in json_lines(text))

    def batched(self, prompt, tokens, streams, *arguments):
        """Generated tokens a second, prompts' time included."""
        text = output(
            [str(self.folder / "llama-batched-bench"), "-m", self.model, "-t", self.threads, "-c", "4096",
             "-b", "2048", "-ub", "512", "-npp", str(prompt), "-ntg", str(tokens), "-npl", str(streams),
             "--output-format", "jsonl", *arguments]
        )
        row = json_lines(text)[-1]
        return tokens * streams / (row["t_pp"] + row["t_tg"])

    def single_stream(self):
        return self.bench("-p", "0", "-n", "128")

    def prompt(self):
        return self.bench("-p", str(LONG_PROMPT), "-n", "0")

    def streams(self):
        return self.batched(STREAM_PROMPT, STREAM_TOKENS, STREAMS)

    def continuations(self):
        return self.batched(SHARED_PROMPT, CONTINUATION_TOKENS, CONTINUATIONS, "-pps", "-kvu")

    # Its activations have 8 bits anyway.
    streams_fast, prompt_fast, continuations_fast = streams, prompt, continuations

    def generate(self, tokens):
        """A small context and weights mapped as they are: the least memory and the quickest start."""
        return session(
            [str(self.folder / "llama-completion"), "-m", self.model, "-t", self.threads, "-p", QUESTION,
             "-n", str(tokens), "--temp", "0", "--ignore-eos", "-no-cnv", "--no-display-prompt", "--simple-io",
             "--no-warmup", "-c", "512", "--no-repack"]
        )

    def first_token(self):
        return self.generate(1)[0] * 1000

    def peak_memory(self):
        return self.generate(128)[1]


class LlamaServer:
    """llama.cpp's server with a slot for each sample of a question, asked by Lyceum's client."""

    name = "llama.cpp's server"

    def __init__(self, options):
        self.options = options

    def votes(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [
            str(pathlib.Path(self.options.llama) / "llama-server"), "-m", self.options.model, "--port", str(port),
            "--host", "127.0.0.1", "--alias", "model", "-t", str(self.options.threads), "-np", str(SAMPLES),
            "-c", str(SAMPLES * 256),
        ]
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(300):
                try:
                    urllib.request.urlopen(url + "/health", timeout=1)
                    break
                except OSError:
                    if server.poll() is not None:
                        raise Failed(f"llama-server ended with {server.returncode}") from None
                    time.sleep(0.2)
            return Lyceum(self.options).votes(model=f"openai:model@{url}/v1")
        finally:
            server.terminate()
            server.wait()


class OneByOne:
    """Lyceum's own engine, each call waiting for the one before."""

    name = "one by one"

    def __init__(self, options):
        self.options = options

    def votes(self):
        return Lyceum(self.options).votes("votes-in-turn")


class Script:
    """A peer that is a Python library, driven by a script of its own that prints {"values": […]}."""

    def __init__(self, options):
        self.options = options

    def script(self, file, *arguments):
        text = output([sys.executable, str(HERE / file), *map(str, arguments), "--model", self.options.model])
        return statistics.median(json_lines(text)[-1]["values"])


class OpenVINO(Script):
    name = "OpenVINO GenAI"

    def run(self, workload, *arguments):
        return self.script(
            "peer_openvino.py", workload, "--ids", self.options.ids, "--threads", self.options.threads, *arguments
        )

    def single_stream(self):
        return self.run("single", "--tokens", 128)

    def streams(self):
        return self.run(
            "streams", "--streams", STREAMS, "--prompt", STREAM_PROMPT, "--tokens", STREAM_TOKENS, "--rounds", 1
        )

    def prompt(self):
        return self.run("prompt", "--prompt", LONG_PROMPT)

    def continuations(self):
        return self.run(
            "continuations", "--streams", CONTINUATIONS, "--prompt", SHARED_PROMPT,
            "--tokens", CONTINUATION_TOKENS, "--rounds", 1,
        )

    # Its activations have 8 bits anyway.
    streams_fast, prompt_fast, continuations_fast = streams, prompt, continuations


class Tokenizers(Script):
    name = "HF tokenizers"

    def tokenize(self):
        return self.script("peer_tokenizers.py", "--text", self.options.text)


class PyTorch(Trains):
    name = "PyTorch"

    def __init__(self, options):
        self.options = options

    def training(self, what):
        return [sys.executable, HERE / "peer_training.py", what, "--threads", self.options.threads,
                "--steps", self.options.steps]


class Bar:
    """Not a peer but a promise."""

    name = "the bar"

    def __init__(self, options):
        pass

    def help(self):
        return HELP_BAR

    def steering(self):
        return STEERING_BAR

    def contrast(self):
        return CONTRAST_BAR

    def full_share(self):
        return FLOOR_BAR

    def lora_frozen(self):
        return FROZEN_BAR

    def ranks_share(self):
        return RANKS_BAR


# id, title, unit, better, the method that measures it
WORKLOADS = [
    ("single-stream", "one stream, 128 tokens", "tokens/s", "higher", "single_stream"),
    ("streams-16", "16 streams of 128 tokens", "tokens/s", "higher", "streams"),
    ("prompt-512", "prompt of 512 tokens", "tokens/s", "higher", "prompt"),
    ("continuations-64", "64 continuations of a 1,024-token prompt", "tokens/s", "higher", "continuations"),
    ("streams-16-fast", "16 streams, 8-bit activations", "tokens/s", "higher", "streams_fast"),
    ("prompt-512-fast", "prompt of 512, 8-bit activations", "tokens/s", "higher", "prompt_fast"),
    ("continuations-64-fast", "64 continuations, 8-bit activations", "tokens/s", "higher", "continuations_fast"),
    ("votes", "50 questions, 32 samples each", "tokens/s", "higher", "votes"),
    ("steering-cost", "steering 16 heads", "times plain", "lower", "steering"),
    ("contrast-cost", "a contrasted prompt", "times plain", "lower", "contrast"),
    ("first-token", "process start to first token", "ms", "lower", "first_token"),
    ("peak-memory", "peak memory, one stream", "MB", "lower", "peak_memory"),
    ("tokenize", "tokenising English", "MB/s", "higher", "tokenize"),
    ("help", "lyceum --help", "ms", "lower", "help"),
    ("train-full", "all weights, AdamW, 4 × 512 tokens", "tokens/s", "higher", "train_full"),
    ("train-full-memory", "its peak memory", "MB", "lower", "full_memory"),
    ("train-full-share", "its share of the matrix products' rate", "of 1", "higher", "full_share"),
    ("train-ranks", "2 MPI ranks over one process", "of 1", "higher", "ranks_share"),
    ("train-lora", "LoRA r = 16, all layers, 4 × 512", "tokens/s", "higher", "train_lora"),
    ("train-lora-memory", "its peak memory", "MB", "lower", "lora_memory"),
    ("train-lora-frozen", "LoRA on a frozen base, peak memory", "MB", "lower", "lora_frozen"),
    ("train-dpo", "DPO with LoRA, 2 pairs of 512", "tokens/s", "higher", "train_dpo"),
    ("train-dpo-memory", "its peak memory", "MB", "lower", "dpo_memory"),
    ("train-scratch", "10M from scratch, 8 × 512", "tokens/s", "higher", "train_scratch"),
    ("train-scratch-memory", "its peak memory", "MB", "lower", "scratch_memory"),
    ("train-grpo", "GRPO, 8 × 8 texts of 64", "tokens/s", "higher", "train_grpo"),
    ("train-grpo-memory", "its peak memory", "MB", "lower", "grpo_memory"),
]

ONCE = {"votes", "train-grpo"}  # long enough to be measured once


def measure(options):
    """Every workload on every engine in turn, round by round: {(workload, engine): [value, …]} and the noise."""
    ours = Lyceum(options)
    engines = [ours] + [kind(options) for kind in (Llama, LlamaServer, OneByOne, OpenVINO, Tokenizers, PyTorch, Bar)]
    values, noise, failed = {}, {}, {}
    turns = [
        (turn, id, method, engine)
        for turn in range(options.rounds) for id, _, _, _, method in WORKLOADS for engine in engines
        if hasattr(engine, method) and not (engine is ours and options.peers_only)
        and (not options.only or id in options.only) and (id not in ONCE or turn == 0)
    ]
    try:
        for turn, id, method, engine in turns:
            if (id, engine.name) in failed:
                continue
            print(f"\r\033[Kround {turn + 1} of {options.rounds}: {id}, {engine.name}", end="", file=sys.stderr)
            try:
                with Watch() as watch:
                    value = getattr(engine, method)()
            except (Failed, OSError, KeyError, IndexError, ValueError) as error:
                failed[id, engine.name] = str(error)
                continue
            values.setdefault((id, engine.name), []).append(value)
            noise.setdefault((id, engine.name), []).append(watch.others)
    except KeyboardInterrupt:
        print("\ninterrupted: what has been measured follows", end="", file=sys.stderr)
    print("\r\033[K", end="", file=sys.stderr)
    for (id, engine), message in failed.items():
        print(f"{engine} could not do {id}: {message}", file=sys.stderr)
    return values, noise


def rows(values, noise):
    """One row a workload and peer, medians over the rounds."""
    place = machine()
    median = {key: statistics.median(list_) for key, list_ in values.items()}
    disturbed = {key: statistics.median(list_) for key, list_ in noise.items()}
    result = []
    for id, title, unit, better, _ in WORKLOADS:
        mine = median.get((id, Lyceum.name))
        for (other, peer), value in median.items():
            if other != id or peer == Lyceum.name:
                continue
            others = max(disturbed.get((id, Lyceum.name), 0.0), disturbed[id, peer])
            result.append({
                "id": f"{id}/{peer}", "ours": mine, "peer": value, "ratio": mine / value if mine else None,
                "unit": unit, "better": better, "machine": place, "title": title, "peerName": peer,
                "others": round(others, 3), "trusted": others <= QUIET,
            })
    return result


def table(result):
    def number(value):
        return "–" if value is None else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"

    print("| workload | Lyceum | peer | | unit | ratio | |\n|---|---:|---:|---|---|---:|---|")
    for row in result:
        ratio = "–" if row["ratio"] is None else f"{row['ratio']:.2f}×"
        mark = "" if row["trusted"] else f"others used {row['others']:.0%}"
        print(f"| {row['title']} | {number(row['ours'])} | {number(row['peer'])} | {row['peerName']} | {row['unit']}, "
              f"{row['better']} is better | {ratio} | {mark} |")
    doubtful = sum(not row["trusted"] for row in result)
    if doubtful:
        print(f"\n{doubtful} of {len(result)} figures can't be trusted: other programs used more than {QUIET:.0%} of "
              "the machine while they were measured. Run it again when it is quiet.")


def prepare(options):
    """The text and the token ids that all workloads draw from, made once."""
    folder = cache_folder() / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    options.text, options.ids = str(folder / "english.txt"), str(folder / "ids.json")
    if not os.path.exists(options.ids):
        output([sys.executable, str(HERE / "peer_tokenizers.py"), "--model", options.model,
                "--text", options.text, "--prepare", options.ids])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lyceum", default=str(HERE.parent / ".build/release/lyceum"))
    parser.add_argument("--llama", required=True, help="the folder of llama.cpp's programs")
    parser.add_argument("--model", default=str(cache_folder() / "models/SmolLM2-135M-Instruct.Q4_1.gguf"))
    parser.add_argument("--threads", type=int, default=CORES, help="threads for the peers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3, help="of each training run, after two that don't count")
    parser.add_argument("--only", nargs="+", choices=[row[0] for row in WORKLOADS], help="these workloads")
    parser.add_argument("--peers-only", action="store_true", help="leave Lyceum out")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "results.json")
    options = parser.parse_args()
    # Ranks on this machine alone, also where everything runs as root.
    for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"):
        os.environ.setdefault(name, "1")
    prepare(options)
    print(f"{machine()}; load average {os.getloadavg()[0]:.2f} at the start", file=sys.stderr)
    with tempfile.TemporaryDirectory() as options.scratch:
        result = rows(*measure(options))
    table(result)
    part = options.out.with_suffix(".part")
    part.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    part.rename(options.out)


if __name__ == "__main__":
    main()
