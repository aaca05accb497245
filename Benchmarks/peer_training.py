"""One training workload on PyTorch with transformers, PEFT and TRL; prints one JSON object with the tokens a second of each step
after the first. Run by run.py inside the peers' environment.

Weights and texts are random, in the shape of the embedded model. Everything is in bf16, weights and the optimiser's state too, with
scaled-dot-product attention, the fused AdamW and no gradient checkpointing: the fastest that these libraries do on a processor. Where
the processor has no AVX-512, bf16 products are far slower than f32, so everything is in f32 there.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch
import transformers

TYPE = torch.bfloat16 if torch.backends.cpu.get_cpu_capability().startswith("AVX512") else torch.float32
BATCH, LENGTH = 4, 512
# Steps that do not count.
WARM_UP = 2
PROMPTS, ROLLOUTS, PROMPT, COMPLETION = 8, 8, 16, 64
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def shape(**other):
    sizes = dict(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
        num_key_value_heads=3, tie_word_embeddings=True, max_position_embeddings=2048, bos_token_id=0, eos_token_id=0,
        pad_token_id=1,
    )
    return transformers.LlamaConfig(**{**sizes, **other})


def new_model(**other):
    torch.manual_seed(1)
    return transformers.AutoModelForCausalLM.from_config(
        shape(**other), dtype=TYPE, attn_implementation="sdpa"
    )


def adapter():
    import peft

    return peft.LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules=LINEAR, task_type="CAUSAL_LM")


def adapted():
    import peft

    return peft.get_peft_model(new_model(), adapter(), autocast_adapter_dtype=False)


def loop(model, batch, vocabulary, steps):
    """The plain loop: forward, backward, a step of AdamW."""
    model.train()
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-5, fused=True)
    ids = torch.randint(2, vocabulary, (batch, LENGTH))
    values = []
    for _ in range(steps + WARM_UP):
        start = time.perf_counter()
        model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        values.append(ids.numel() / (time.perf_counter() - start))
    return values[WARM_UP:]


def full(steps):
    return loop(new_model(), BATCH, 49152, steps)


def lora(steps):
    return loop(adapted(), BATCH, 49152, steps)


def scratch(steps):
    model = new_model(
        vocab_size=4096, hidden_size=256, intermediate_size=768, num_hidden_layers=10, num_attention_heads=4,
        num_key_value_heads=4,
    )
    return loop(torch.compile(model), 2 * BATCH, 4096, steps)


def words():
    """A tokenizer whose tokens are the words t0, t1, …, so that texts of any ids can be written."""
    import tokenizers

    names = ["<end>", "<pad>"] + [f"t{i}" for i in range(2, 49152)]
    model = tokenizers.models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="<pad>")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<end>", pad_token="<pad>", unk_token="<pad>"
    )


def text(count, generator):
    return " ".join(f"t{i}" for i in torch.randint(2, 49152, (count,), generator=generator).tolist())


class Clock(transformers.TrainerCallback):
    """When each step began and ended."""

    def __init__(self):
        self.begins, self.ends = [], []

    def on_step_begin(self, *_, **__):
        self.begins.append(time.perf_counter())

    def on_step_end(self, *_, **__):
        self.ends.append(time.perf_counter())


def settings(folder, steps):
    return dict(
        output_dir=folder, max_steps=steps, use_cpu=True, bf16=False, optim="adamw_torch_fused", report_to="none",
        save_strategy="no", logging_strategy="no", disable_tqdm=True, gradient_checkpointing=False,
        learning_rate=1e-5, lr_scheduler_type="constant",
    )


def dpo(steps):
    """Two pairs of 512 tokens a step; the reference is scored before the first."""
    import datasets
    import trl

    random = torch.Generator().manual_seed(1)
    # The trainer puts the end of the text behind each answer.
    rows = [
        {"prompt": text(1, random), "chosen": " " + text(LENGTH - 2, random), "rejected": " " + text(LENGTH - 2, random)}
        for _ in range(BATCH // 2)
    ] * (steps + WARM_UP)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = trl.DPOTrainer(
            model=adapted(), train_dataset=datasets.Dataset.from_list(rows), processing_class=words(),
            callbacks=[clock],
            args=trl.DPOConfig(
                **settings(folder, steps + WARM_UP), per_device_train_batch_size=BATCH // 2, max_length=LENGTH,
                precompute_ref_log_probs=True,
            ),
        )
        trainer.train()
    return [BATCH * LENGTH / (end - begin) for begin, end in zip(clock.begins[WARM_UP:], clock.ends[WARM_UP:])]


def grpo(steps):
    """Generated tokens a second of whole steps: 8 prompts, 8 roll-outs each of 64 tokens, all weights."""
    import datasets
    import trl

    random = torch.Generator().manual_seed(1)
    rows = [{"prompt": text(PROMPT, random)} for _ in range(PROMPTS)] * (steps + WARM_UP)
    clock = Clock()

    def reward(completions, **_):
        return [float(i % 2) for i in range(len(completions))]

    with tempfile.TemporaryDirectory() as folder:
        trainer = trl.GRPOTrainer(
            model=new_model(), reward_funcs=reward, train_dataset=datasets.Dataset.from_list(rows),
            processing_class=words(), callbacks=[clock],
            # Four passes a step: no slower than one, with a quarter of the logits in memory.
            args=trl.GRPOConfig(
                **settings(folder, steps + WARM_UP), per_device_train_batch_size=PROMPTS * ROLLOUTS // 4,
                gradient_accumulation_steps=4, num_generations=ROLLOUTS, max_completion_length=COMPLETION, beta=0.0,
                generation_kwargs={"min_new_tokens": COMPLETION},
            ),
        )
        trainer.train()
    # Writing stands outside of the step that follows it, so whole rounds are timed.
    return [PROMPTS * ROLLOUTS * COMPLETION / (b - a) for a, b in zip(clock.ends[WARM_UP - 1:], clock.ends[WARM_UP:])]


def products(steps, trains_weights):
    """Tokens a second if a step were nothing but the products of its linear layers."""
    c = shape()
    keys = c.num_key_value_heads * c.hidden_size // c.num_attention_heads
    layers = [
        (c.hidden_size, c.hidden_size, 2), (keys, c.hidden_size, 2), (c.intermediate_size, c.hidden_size, 2),
        (c.hidden_size, c.intermediate_size, 1),
    ]
    layers = [(out, into, n * c.num_hidden_layers) for out, into, n in layers] + [(c.vocab_size, c.hidden_size, 1)]
    rows, values = BATCH * LENGTH, []
    for _ in range(steps + WARM_UP):
        seconds = 0
        for out, into, count in layers:
            x, w, dy = (torch.randn(size, dtype=TYPE) for size in ((rows, into), (out, into), (rows, out)))
            start = time.perf_counter()
            x @ w.T
            dy @ w
            if trains_weights:
                dy.T @ x
            seconds += count * (time.perf_counter() - start)
        values.append(rows / seconds)
    return values[WARM_UP:]


def main():
    workloads = {f.__name__: f for f in (full, lora, dpo, scratch, grpo)}
    workloads["products-full"] = lambda steps: products(steps, True)
    workloads["products-lora"] = lambda steps: products(steps, False)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=workloads)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with contextlib.redirect_stdout(sys.stderr):  # TRL's trainers print their logs
        values = workloads[options.workload](options.steps)
    print(json.dumps({"values": values}))


if __name__ == "__main__":
    main()
