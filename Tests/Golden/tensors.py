"""Golden values for TensorsTests, made with PyTorch: `python Tests/Golden/tensors.py` writes Tests/Golden/tensors.json.

Inputs are not stored: `numbers(shape, seed)` makes the same ones here and in the tests (multiples of 2^-15 in [-1, 1)).
Each case stores its output and the gradients of sum(output * numbers(output.shape, 99)) with respect to its inputs.
"""

import json
import pathlib

import torch
import torch.nn.functional as F


def numbers(shape, seed, dtype=torch.float32):
    count = 1
    for extent in shape:
        count *= extent
    values = []
    for i in range(count):
        h = ((i + 1) * 2654435761 + seed * 40503) % 2**32
        h = ((h ^ (h >> 15)) * 2246822519) % 2**32
        h = ((h ^ (h >> 13)) * 3266489917) % 2**32
        values.append(((h ^ (h >> 16)) >> 16) / 2**15 - 1)
    return torch.tensor(values, dtype=dtype).reshape(shape)


cases = {}


def flat(tensor):
    return [float(f"{v:.8g}") for v in tensor.detach().to(torch.float32).flatten().tolist()]


def case(name, shapes, operation, dtype=torch.float64, direction=None):
    """Runs in double precision unless the case is about bf16, so that the goldens are exact to f32."""
    inputs = [numbers(shape, seed + 1, torch.float64).to(dtype).requires_grad_() for seed, shape in enumerate(shapes)]
    output = operation(*inputs)
    weights = numbers(output.shape, 99, torch.float64).to(output.dtype)
    gradients = torch.autograd.grad((output * weights).sum(), inputs)
    cases[name] = {"output": flat(output), "gradients": [flat(g) for g in gradients]}


# Products
case("linear", [(9, 10), (6, 10), (6,)], lambda x, w, b: F.linear(x, w, b))
case("linear few rows", [(2, 35), (6, 35), (6,)], lambda x, w, b: F.linear(x, w, b))
case("batched matmul", [(3, 1, 4, 5), (2, 5, 3)], lambda a, b: a @ b)
case("linear bf16", [(16, 32), (12, 32)], lambda x, w: F.linear(x, w), dtype=torch.bfloat16)
case("matmul bf16", [(16, 32), (32, 12)], lambda a, b: a @ b, dtype=torch.bfloat16)

# Arithmetic with broadcasting
case("arithmetic", [(4, 1, 3), (5, 3)], lambda x, y: (x + y) * (x - y) / (y + 3) + 2 * x)
case("maximum minimum clamp", [(4, 5), (4, 5)], lambda x, y: torch.maximum(x, y) * torch.minimum(x, y) + x.clamp(-0.4, 0.6))

# Functions of one number, on inputs spread over [-4, 4)
functions = {
    "exp": torch.exp, "sigmoid": torch.sigmoid, "logSigmoid": F.logsigmoid, "tanh": torch.tanh, "relu": F.relu,
    "silu": F.silu, "gelu": F.gelu, "geluTanh": lambda x: F.gelu(x, approximate="tanh"), "square": torch.square,
    "abs": torch.abs, "log": lambda x: torch.log(x.abs() + 0.1), "sqrt": lambda x: torch.sqrt(x.abs() + 0.1),
    "softcap": lambda x: 2 * torch.tanh(x / 2), "softmax": lambda x: F.softmax(x, -1), "logSoftmax": lambda x: F.log_softmax(x, -1),
}
for name, function in functions.items():
    case(name, [(4, 9)], lambda x, function=function: function(4 * x))
case("swiglu", [(3, 14)], lambda x: F.silu(x[:, :7]) * x[:, 7:])
case("geglu", [(3, 7), (3, 7)], lambda g, u: F.gelu(g, approximate="tanh") * u)

# Rows
case("rmsNorm", [(5, 12), (12,)], lambda x, w: F.rms_norm(x, (12,), w, 1e-5))
case("rmsNorm onePlus", [(5, 12), (12,)], lambda x, w: F.rms_norm(x, (12,), 1 + w, 1e-6))
case("layerNorm", [(5, 12), (12,), (12,)], lambda x, w, b: F.layer_norm(x, (12,), w, b, 1e-5))


def rotate(x, positions, base, interleaved):
    width = x.shape[-1]
    angle = positions[:, None, None].double() * base ** (-torch.arange(0, width, 2).double() / width)
    cosine, sine = angle.cos(), angle.sin()
    if interleaved:
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack([a * cosine - b * sine, a * sine + b * cosine], -1).flatten(-2)
    a, b = x[..., : width // 2], x[..., width // 2 :]
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], -1)


places = torch.tensor([0, 3, 200, 17])
case("rope interleaved", [(4, 2, 8)], lambda x: rotate(x, places, 10000.0, True))
case("rope halves", [(4, 2, 8)], lambda x: rotate(x, places, 10000.0, False))


def attend(q, k, v, lengths, scale, causal, window=None):
    outputs, start = [], 0
    group = q.shape[1] // k.shape[1]
    for n in lengths:
        rows = slice(start, start + n)
        i, j = torch.arange(n)[:, None], torch.arange(n)[None, :]
        seen = torch.ones(n, n, dtype=torch.bool)
        if causal:
            seen &= j <= i
        if window:
            seen &= (i - j).abs() < window
        turned = [t[rows].transpose(0, 1) for t in (q, k, v)]
        turned[1:] = [t.repeat_interleave(group, 0) for t in turned[1:]]
        out = F.scaled_dot_product_attention(*turned, attn_mask=seen, scale=scale)
        outputs.append(out.transpose(0, 1))
        start += n
    return torch.cat(outputs)


case("attention causal", [(12, 4, 8), (12, 2, 8), (12, 2, 6)], lambda q, k, v: attend(q, k, v, [5, 7], 0.35, True))
case("attention window", [(12, 2, 8), (12, 1, 8), (12, 1, 8)], lambda q, k, v: attend(q, k, v, [12], 1.0, True, 4))
case("attention both ways", [(10, 2, 8), (10, 2, 8), (10, 2, 8)], lambda q, k, v: attend(q, k, v, [3, 7], 0.5, False))

# Losses
targets = torch.tensor([3, -100, 0, 8, 8, 1])
case("crossEntropy", [(6, 9)], lambda x: F.cross_entropy(4 * x, targets))
case("linearCrossEntropy", [(6, 5), (9, 5)], lambda x, w: F.cross_entropy(F.linear(x, w), targets))
case(
    "linearLogProbabilities", [(6, 5), (9, 5)],
    lambda x, w: -F.cross_entropy(F.linear(x, w), targets, reduction="none"),
)

# Look-ups and reductions
case("embedding", [(7, 4)], lambda w: F.embedding(torch.tensor([[1, 6], [1, 0]]), w))
case("gather", [(5, 4)], lambda x: x.gather(-1, torch.tensor([0, 3, 1, 1, 2])[:, None])[:, 0])
case("sums", [(3, 4, 5)], lambda x: (x.sum(1) * x.mean(1) + x.amax(-1).sum()) * x.sum())
case("joins", [(2, 3, 4), (2, 2, 4)], lambda x, y: torch.cat([x, y[:, 1:], x.transpose(0, 0)], 1).permute(2, 0, 1).reshape(8, -1))


# A whole decoder layer with its loss: attention with grouped queries and rotary positions, a gated unit, a tied head.
def decoder(table, norm1, qkv, out, norm2, gate_up, down):
    tokens = torch.tensor([1, 5, 9, 2, 2, 7, 3, 0])
    positions = torch.tensor([0, 1, 2, 3, 4, 0, 1, 2])
    x = F.embedding(tokens, table)
    h = F.linear(F.rms_norm(x, (16,), 1 + norm1, 1e-5), qkv / 4)
    q, k, v = (h[:, :16].reshape(8, 2, 8), h[:, 16:24].reshape(8, 1, 8), h[:, 24:].reshape(8, 1, 8))
    a = attend(rotate(q, positions, 100.0, False), rotate(k, positions, 100.0, False), v, [5, 3], 8**-0.5, True)
    x = x + F.linear(a.reshape(8, 16), out / 4)
    h = F.linear(F.rms_norm(x, (16,), 1 + norm2, 1e-5), gate_up / 4)
    x = x + F.linear(F.silu(h[:, :24]) * h[:, 24:], down / 4)
    labels = torch.tensor([5, 9, 2, 2, -100, 3, 0, -100])
    return F.cross_entropy(F.linear(x, table), labels)


shapes = [(11, 16), (16,), (32, 16), (16, 16), (16,), (48, 16), (16, 24)]
case("decoder layer", shapes, decoder)
text = "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in cases.items()) + "\n}\n"
pathlib.Path(__file__).with_suffix(".json").write_text(text)
print(f"{len(cases)} cases, {len(text)} bytes")
