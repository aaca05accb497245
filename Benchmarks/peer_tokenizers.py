"""Tokenises a text with Hugging Face's Rust library on one thread; prints the seconds of each round as JSON.

With --prepare it makes what all benchmarks share instead: the text itself, and token ids to draw prompts from.
"""

import argparse
import ast
import json
import os
import pathlib
import pydoc_data.topics
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

from gguf import GGUFReader

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests/Golden"))
from logits_tokenizer import make_tokenizer, metadata

SIZE = 10_000_000
IDS = 4096


def english():
    """Ten million bytes of English: Python's language reference and the documentation in its library, repeated."""
    parts = list(pydoc_data.topics.topics.values())
    library = pathlib.Path(os.__file__).parent
    for path in sorted(library.rglob("*.py")):
        if {"site-packages", "test", "tests", "idlelib"} & set(path.parts):
            continue
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        parts += [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, documented)]
    text = "\n\n".join(part for part in parts if part).encode("ascii", "ignore")
    return (text * (SIZE // len(text) + 1))[:SIZE].decode()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--text", type=pathlib.Path, required=True)
    parser.add_argument("--prepare", type=pathlib.Path, help="write the text, and token ids to this file")
    options = parser.parse_args()
    tokenizer = make_tokenizer(metadata(GGUFReader(options.model)))
    if options.prepare:
        text = english()
        options.text.write_text(text, "utf-8")
        options.prepare.write_text(json.dumps(tokenizer.encode(text[: IDS * 8]).ids[:IDS]))
        return
    text = options.text.read_text("utf-8")
    lines = text.splitlines(keepends=True)
    values = []
    # Whole and in lines, with and without character offsets: the library may choose its best way.
    for encode in (
        lambda: tokenizer.encode(text, add_special_tokens=False),
        lambda: tokenizer.encode_batch(lines, add_special_tokens=False),
        lambda: tokenizer.encode_batch_fast(lines, add_special_tokens=False),
    ):
        start = time.perf_counter()
        result = encode()
        values.append(time.perf_counter() - start)
        del result
    print(json.dumps({"values": [len(text) / 1e6 / min(values)], "seconds": values}))


if __name__ == "__main__":
    main()
