"""Golden values for TrainingTests, made with PyTorch, transformers and PEFT.

    python Tests/Golden/training.py                 writes training.json and the folder training-adapter
    python Tests/Golden/training.py --check FOLDER  loads an adapter that Lyceum wrote with PEFT and prints what it gives

The tiny Llama's weights are not stored: `numbers` makes the same ones here and in the tests. Everything runs in f64 unless it says
otherwise, so that the goldens are exact to f32.
"""

import json
import math
import pathlib
import sys

import peft
import torch
import torch.nn.functional as F
import transformers

here = pathlib.Path(__file__).parent
VOCABULARY, HIDDEN, INNER, LAYERS, HEADS, KV_HEADS = 96, 32, 48, 2, 4, 2


def hashes(count, seed):
    for i in range(count):
        h = ((i + 1) * 2654435761 + seed * 40503) % 2**32
        h = ((h ^ (h >> 15)) * 2246822519) % 2**32
        h = ((h ^ (h >> 13)) * 3266489917) % 2**32
        yield (h ^ (h >> 16)) >> 16


def numbers(shape, seed):
    count = math.prod(shape)
    return torch.tensor([h / 2**15 - 1 for h in hashes(count, seed)], dtype=torch.float64).reshape(shape)


def flat(tensor):
    return [float(f"{v:.8g}") for v in tensor.detach().flatten().tolist()]


def tiny_model():
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=HIDDEN, intermediate_size=INNER, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, max_position_embeddings=64, rms_norm_eps=1e-5,
        rope_theta=10000.0, tie_word_embeddings=True, attention_dropout=0.0)
    config._attn_implementation = "eager"
    model = transformers.LlamaForCausalLM(config).double()
    with torch.no_grad():
        for seed, (name, parameter) in enumerate(sorted(model.named_parameters())):
            values = numbers(tuple(parameter.shape), seed + 1) * 0.25
            parameter.copy_(values + 1 if parameter.dim() == 1 else values)
    return model


def samples():
    """Twelve texts of 6 to 17 tokens; of each a prompt of 1 to 4 tokens does not count."""
    result = []
    for index in range(12):
        tokens = [h % VOCABULARY for h in hashes(6 + index, 1000 + index)]
        result.append((tokens, 1 + index % 4))
    return result


def log_probabilities(model, tokens):
    logits = model(torch.tensor([tokens])).logits[0, :-1]
    return F.log_softmax(logits, -1).gather(1, torch.tensor(tokens[1:])[:, None])[:, 0]


def sums(model):
    return torch.stack([log_probabilities(model, tokens)[prompt - 1 :].sum() for tokens, prompt in samples()])


def mean_loss(model):
    count = sum(len(tokens) - prompt for tokens, prompt in samples())
    return -sums(model).sum() / count


def factor(step, total, warm_up):
    """A warm-up, then straight down: the schedule `linear(end: 0)` of the tests."""
    if step <= warm_up:
        return step / (warm_up + 1)
    return 1 - (step - warm_up - 1) / (total - warm_up)


def curve(model, rate, decay, steps=50, warm_up=5):
    parameters = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.999), eps=1e-8)
    losses, norms = [], []
    for step in range(1, steps + 1):
        loss = mean_loss(model)
        optimiser.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(parameters, 1.0)))
        for group in optimiser.param_groups:
            group["lr"] = rate * factor(step, steps, warm_up)
        optimiser.step()
        losses.append(float(loss))
    return {"losses": losses, "norms": norms}


def gradients():
    model = tiny_model()
    loss = mean_loss(model)
    loss.backward()
    result = {}
    for name, parameter in model.named_parameters():
        g = parameter.grad
        step = max(1, g.numel() // 12)
        result[name] = {
            "norm": float(g.norm()), "along": float((g * numbers(tuple(g.shape), 99)).sum()),
            "step": step, "values": flat(g.flatten()[::step]),
        }
    return {"loss": float(loss), "sums": flat(sums(model)), "parameters": result}


def lora(dora=False):
    """LoRA, or DoRA, whose B doesn't start at zero, so that W's and B A's parts of the norms show."""
    model = peft.get_peft_model(tiny_model(), peft.LoraConfig(
        r=4, lora_alpha=8, lora_dropout=0.0, task_type="CAUSAL_LM", use_dora=dora,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])).double()
    with torch.no_grad():
        trained = sorted((n, p) for n, p in model.named_parameters() if p.requires_grad and "magnitude" not in n)
        for seed, (name, parameter) in enumerate(trained):
            starts_at_zero = "lora_B" in name and not dora
            parameter.copy_(numbers(tuple(parameter.shape), 200 + seed) * (0.0 if starts_at_zero else 0.125))
    start = flat(sums(model))
    result = curve(model, 1e-2, 0.0)
    if dora:
        result["start"] = start
    result["sums"] = flat(sums(model))
    folder = here / ("training-adapter-dora" if dora else "training-adapter")
    model.float().save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    merged = model.merge_and_unload()
    result["mergedValues"] = flat(merged.model.layers[1].self_attn.k_proj.weight.flatten()[::37])
    return result


def optimisers():
    """Five steps over a matrix and a vector with given gradients."""
    def run(make):
        parameters = [torch.nn.Parameter(numbers((6, 5), 1)), torch.nn.Parameter(numbers((7,), 2))]
        optimiser = make(parameters)
        for step in range(5):
            for index, parameter in enumerate(parameters):
                parameter.grad = numbers(tuple(parameter.shape), 10 + 2 * step + index)
            optimiser.step()
        return [flat(p) for p in parameters]

    class Lion(torch.optim.Optimizer):
        def __init__(self, parameters):
            super().__init__(parameters, {})

        @torch.no_grad()
        def step(self):
            rate, decay, beta1, beta2 = 0.01, 0.1, 0.9, 0.99
            for group in self.param_groups:
                for p in group["params"]:
                    m = self.state[p].setdefault("m", torch.zeros_like(p))
                    update = torch.sign(beta1 * m + (1 - beta1) * p.grad)
                    p.mul_(1 - rate * decay).add_(update, alpha=-rate)
                    m.mul_(beta2).add_(p.grad, alpha=1 - beta2)

    return {
        "adamw": run(lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1)),
        "sgd": run(lambda p: torch.optim.SGD(p, lr=0.01, weight_decay=0.1)),
        "momentum": run(lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, weight_decay=0.1)),
        "nesterov": run(lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True, weight_decay=0.1)),
        "adafactor": run(lambda p: torch.optim.Adafactor(p, lr=0.1, weight_decay=0.1, eps=(2**-23, 1e-3))),
        "lion": run(Lion),
    }


def objectives():
    """The losses of preference objectives over four pairs, as TRL defines them, with gradients."""
    ratios, means, lengths = numbers((8,), 31) * 8, -0.05 - 3 * numbers((8,), 32).abs(), torch.tensor([3.0, 5, 4, 4, 9, 2, 7, 6])
    wanted = torch.tensor([1.0, 0, 0, 1, 1, 0, 1, 0], dtype=torch.float64)

    def case(x, loss):
        x = x.clone().requires_grad_()
        value = loss(x)
        value.backward()
        return {"loss": float(value), "gradient": flat(x.grad)}

    def pair(x):
        return x[0::2], x[1::2]

    def dpo(x, smoothing):
        chosen, rejected = pair(x)
        h = 0.3 * (chosen - rejected)
        return (-(1 - smoothing) * F.logsigmoid(h) - smoothing * F.logsigmoid(-h)).sum()

    def ipo(x):
        chosen, rejected = pair(x / lengths)
        return ((chosen - rejected - 1 / (2 * 0.3)) ** 2).sum()

    def simpo(x):
        chosen, rejected = pair(x)
        return -F.logsigmoid(2.0 * (chosen - rejected) - 0.7).sum()

    def orpo(x):
        chosen, rejected = pair(x)
        odds = (chosen - rejected) - (torch.log1p(-torch.exp(chosen)) - torch.log1p(-torch.exp(rejected)))
        return (-chosen - 0.4 * F.logsigmoid(odds)).sum()

    def kto(x):
        good = 1.5 * (1 - torch.sigmoid(0.2 * (x - 0.6)))
        bad = 0.5 * (1 - torch.sigmoid(0.2 * (0.6 - x)))
        return torch.where(wanted > 0, good, bad).sum()

    def unlikelihood(x):
        values = -(3 * x.abs())
        good, bad = values[:3], values[3:]
        return -(good.mean() + 0.7 * torch.log1p(-torch.exp(bad)).mean())

    return {
        "dpo": case(ratios, lambda x: dpo(x, 0.0)), "dpo smoothed": case(ratios, lambda x: dpo(x, 0.1)),
        "ipo": case(ratios, ipo), "simpo": case(means, simpo), "orpo": case(means, orpo), "kto": case(ratios, kto),
        "unlikelihood": case(means / 3, unlikelihood),
    }


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        loaded = peft.PeftModel.from_pretrained(tiny_model(), sys.argv[2]).double()
        print(json.dumps(flat(sums(loaded))))
    else:
        torch.manual_seed(0)
        full = tiny_model()
        values = {
            "gradients": gradients(), "full": curve(full, 3e-3, 0.1), "lora": lora(), "dora": lora(dora=True),
            "optimisers": optimisers(),
            "objectives": objectives(),
        }
        values["full"]["sums"] = flat(sums(full))
        (here / "training.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")
