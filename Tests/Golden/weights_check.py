"""Shows that the ecosystem loads what Lyceum writes.

Needs numpy, gguf, safetensors, torch, transformers. Run:
    mkdir -p /tmp/export/embedded
    LYCEUM_EXPORT=/tmp/export swift test -c release --filter ExportTests
    python Tests/Golden/weights_check.py /tmp/export PATH/TO/SmolLM2-135M-Instruct.Q4_1.gguf
"""

import json
import pathlib
import sys

import gguf
import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM


def check_small(folder):
    reader = gguf.GGUFReader(folder / "small.gguf")
    assert reader.fields["general.name"].contents() == "Tiny é"
    assert reader.fields["tokenizer.ggml.tokens"].contents()[:2] == ["<s>", "</s>"]
    assert reader.fields["test.uint64"].contents() == 2**64 - 1
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        assert values.shape == tuple(reversed(tensor.shape.tolist())), tensor.name
        assert np.isfinite(values).all() and 0.4 < np.abs(values).max() <= 1.2, tensor.name
    print("gguf reads small.gguf:", len(reader.fields), "fields,", len(reader.tensors), "tensors")

    single = load_file(folder / "small.safetensors")
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    for name, file in index["weight_map"].items():
        assert name in load_file(folder / file), name
    print("safetensors reads small.safetensors:", len(single), "tensors;", len(set(index["weight_map"].values())), "shards")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert torch.isfinite(model(torch.arange(8)[None]).logits).all()
    print("transformers runs the sharded folder:", type(model).__name__)


def check_embedded(folder, original):
    ours = AutoModelForCausalLM.from_pretrained(folder / "embedded", dtype=torch.float32)
    theirs = AutoModelForCausalLM.from_pretrained(original.parent, gguf_file=original.name, dtype=torch.float32)
    expected = theirs.state_dict()
    worst = max((value - expected[name]).abs().max().item() for name, value in ours.state_dict().items())
    assert worst == 0, worst
    ids = torch.tensor([[504, 3575, 282, 4649, 314]])
    with torch.no_grad():
        logits, reference = ours(ids).logits, theirs(ids).logits
    print("embedded model as a folder: the same weights; logits differ by", (logits - reference).abs().max().item(),
          "best token", logits[0, -1].argmax().item())

    reader = gguf.GGUFReader(folder / "embedded-q8_0.gguf")
    source = gguf.GGUFReader(original)
    assert [f for f in source.fields if f.startswith("tokenizer.")] == \
        [f for f in reader.fields if f.startswith("tokenizer.")]
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    worst = 0
    for tensor in source.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        copy = tensors[tensor.name]
        assert np.array_equal(copy.data, gguf.quants.quantize(values, copy.tensor_type)), tensor.name
        worst = max(worst, np.abs(gguf.quants.dequantize(copy.data, copy.tensor_type) - values).max())
    print("embedded model as Q8_0: every tensor as gguf quantises it; largest change", worst)


def main():
    folder, original = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    check_small(folder)
    check_embedded(folder, original)


main()
