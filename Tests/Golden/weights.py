"""Makes weights-blocks.safetensors for Tests/ModelsTests/WeightFiles: blocks of every format and what they decode to.

Needs numpy, gguf, safetensors. Run: python Tests/Golden/weights.py
The blocks are random bytes, with scales that are ordinary, zero, negative, subnormal, the largest and infinite; each
format's decoding is that of the gguf package. `<format>.source` and `<format>.encoded` hold floats and what the
package's own quantiser makes of them, where it has one. Written as safetensors.
"""

import pathlib

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

FORMATS = ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
# The byte offsets of the half-precision numbers in a block.
SCALES = {
    "Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q2_K": [80, 82], "Q3_K": [108],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}
EXTREMES = np.array([0.0, -0.0, 1.0, -1.0, 5.96e-8, 6.1e-5, 65504.0, -65504.0, np.inf, 0.0123, -3.7], np.float16)


def blocks(name, rng):
    size = GGML_QUANT_SIZES[GGMLQuantizationType[name]][1]
    if name in ("F16", "BF16"):
        return rng.integers(0, 65536, 512, dtype=np.uint16).view(np.uint8).reshape(1, -1)
    count = 10 if name.endswith("K") else 24
    data = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for offset in SCALES[name]:
        scales = (rng.standard_normal(count) * 0.02).astype(np.float16)
        chosen = rng.permutation(count)[: count // 2]
        scales[chosen] = rng.choice(EXTREMES, len(chosen))
        data[:, offset : offset + 2] = scales.view(np.uint8).reshape(count, 2)
    return data


def sources(rng):
    rows = [
        rng.standard_normal(32),
        rng.standard_normal(32) * 1e-3,
        rng.standard_normal(32) * 1e4,
        np.zeros(32),
        np.full(32, 0.25),
        np.full(32, -7.0),
        np.arange(32) - 15.5,
        np.arange(32) / 31,
        rng.choice([-1.0, 1.0], 32) * 127,
        np.where(np.arange(32) == 5, 65504.0, 1e-4),
        rng.standard_normal(32) * 1e-7,
        np.concatenate([rng.uniform(-1, 1, 31), [1.0]]),
    ]
    return np.stack(rows).astype(np.float32)


def main():
    rng = np.random.default_rng(20260501)
    tensors = {}
    for name in FORMATS:
        kind = GGMLQuantizationType[name]
        data = blocks(name, rng)
        with np.errstate(all="ignore"):
            values = dequantize(data.reshape(-1), kind)
        tensors[f"{name}.blocks"] = data.reshape(-1)
        tensors[f"{name}.values"] = np.ascontiguousarray(values.reshape(-1), dtype=np.float32)
    source = sources(rng)
    tensors["source"] = source
    for name in ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"]:
        with np.errstate(all="ignore"):
            encoded = quantize(source, GGMLQuantizationType[name])
        tensors[f"{name}.encoded"] = np.ascontiguousarray(encoded).view(np.uint8).reshape(-1)
    target = pathlib.Path(__file__).parent / "weights-blocks.safetensors"
    save_file(tensors, target, metadata={"made by": "Tests/Golden/weights.py"})
    print(target, target.stat().st_size)


main()
