"""Golden logits of the embedded model, from Hugging Face transformers in f32 on de-quantised weights.

Writes Tests/ModelsTests/Goldens/logits.json and logits.bin (layout in README.md). With --full it also writes
every logit of every position to the cache folder, for the optional exact comparison.
"""

import argparse
import json
import os
import pathlib
import sys

import numpy as np
import torch
from gguf import GGUFReader, dequantize
from transformers import LlamaConfig, LlamaForCausalLM

from logits_prompts import GREEDY, PROMPTS
from logits_tokenizer import make_tokenizer, metadata

LIMIT = 256
TOP = 8
STRIDE = 8  # positions between two detailed ones
DETAIL_TOP = 64
SUBSET = 64
CONTINUATION = 32


def cache_folder():
    if "LYCEUM_CACHE" in os.environ:
        return pathlib.Path(os.environ["LYCEUM_CACHE"])
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "lyceum"


def interleaved(weight, heads):
    """Undoes the row order that GGUF gives the query and key matrices of the Llama architecture.

    A head's rows (r0, r1, r2, …) stand in GGUF as pairs (r0, r half, r1, r half+1, …); transformers rotates
    halves, so it wants first all even rows, then all odd ones.
    """
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def make_model(reader, meta):
    heads, kv_heads = meta["llama.attention.head_count"], meta["llama.attention.head_count_kv"]
    state = {}
    for tensor in reader.tensors:
        weight = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        parts = tensor.name.removesuffix(".weight").split(".")
        if parts[0] == "blk":
            name = f"model.layers.{parts[1]}.{NAMES[parts[2]]}.weight"
        else:
            name = f"{NAMES[parts[0]]}.weight"
        if name.endswith("q_proj.weight"):
            weight = interleaved(weight, heads)
        if name.endswith("k_proj.weight"):
            weight = interleaved(weight, kv_heads)
        state[name] = torch.from_numpy(np.ascontiguousarray(weight))
    tied = "lm_head.weight" not in state
    config = LlamaConfig(
        vocab_size=state["model.embed_tokens.weight"].shape[0],
        hidden_size=meta["llama.embedding_length"],
        intermediate_size=meta["llama.feed_forward_length"],
        num_hidden_layers=meta["llama.block_count"],
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        rms_norm_eps=meta["llama.attention.layer_norm_rms_epsilon"],
        max_position_embeddings=meta["llama.context_length"],
        rope_parameters={"rope_type": "default", "rope_theta": meta["llama.rope.freq_base"]},
        tie_word_embeddings=tied,
        attn_implementation="eager",
    )
    model = LlamaForCausalLM(config)
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    model.tie_weights()
    return model.eval()


@torch.no_grad()
def logits_of(model, ids, last=0):
    """Logits of the last positions, of all of them for 0: (positions, vocabulary)."""
    return model(torch.tensor([ids]), logits_to_keep=last, use_cache=False).logits[0]


def greedy(model, ids):
    """The most likely continuation, and the least lead that any chosen token had over the runner-up."""
    chosen, margin = [], float("inf")
    for _ in range(CONTINUATION):
        values, indices = torch.topk(logits_of(model, ids + chosen, last=1)[-1], 2)
        margin = min(margin, float(values[0] - values[1]))
        chosen.append(int(indices[0]))
    return chosen, margin


def record(logits, ids, subset):
    """The binary record of one prompt; README.md has its layout."""
    out = bytearray()
    lse = torch.logsumexp(logits.double(), -1)
    top = torch.topk(logits, TOP)
    detail = torch.topk(logits, DETAIL_TOP)
    for position in range(len(ids)):
        following = float(logits[position, ids[position + 1]]) if position + 1 < len(ids) else float("nan")
        out += np.array([float(lse[position]), following], "<f4").tobytes()
        out += top.indices[position].numpy().astype("<u2").tobytes()
        out += top.values[position].numpy().astype("<f4").tobytes()
        if position % STRIDE == 0:
            out += detail.indices[position].numpy().astype("<u2").tobytes()
            out += detail.values[position].numpy().astype("<f4").tobytes()
            out += logits[position, subset].numpy().astype("<f4").tobytes()
    return bytes(out)


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=cache_folder() / "models/SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--out", type=pathlib.Path, default=here.parent / "ModelsTests/Goldens")
    parser.add_argument("--full", action="store_true", help="also every logit, to the cache folder")
    parser.add_argument("--double", action="store_true", help="also print how far f32 is from f64")
    options = parser.parse_args()

    reader = GGUFReader(options.model)
    meta = metadata(reader)
    tokenizers = {special: make_tokenizer(meta, special) for special in (False, True)}
    model = make_model(reader, meta)
    subset = [round(i * (model.config.vocab_size - 1) / (SUBSET - 1)) for i in range(SUBSET)]

    full = None
    if options.full:
        path = cache_folder() / "goldens/logits-full.f32"
        path.parent.mkdir(parents=True, exist_ok=True)
        full = open(path.with_suffix(".part"), "wb")

    prompts, blob, all_ids, losses = [], b"", {}, []
    for name, special, text in PROMPTS:
        ids = tokenizers[special].encode(text, add_special_tokens=False).ids[:LIMIT]
        all_ids[name] = ids
        logits = logits_of(model, ids)
        data = record(logits, ids, subset)
        prompts.append({"name": name, "special": special, "text": text, "ids": ids, "offset": len(blob)})
        blob += data
        if full:
            full.write(logits.numpy().astype("<f4").tobytes())
        if len(ids) > 1:
            loss = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:])).item()
            losses.append((loss, len(ids) - 1))
            print(f"{name}: {len(ids)} tokens, perplexity {np.exp(loss):.2f}", file=sys.stderr)
        if options.double:
            exact = logits_of(model.double(), ids)
            model.float()
            print(f"  f32 against f64: max |Δ| {(logits - exact).abs().max():.1e}", file=sys.stderr)
    mean = sum(l * n for l, n in losses) / sum(n for _, n in losses)
    print(f"all: {sum(n for _, n in losses)} predictions, perplexity {np.exp(mean):.2f}", file=sys.stderr)

    continuations = []
    for name in GREEDY:
        chosen, margin = greedy(model, all_ids[name])
        text = tokenizers[True].decode(chosen, skip_special_tokens=False)
        continuations.append({"name": name, "ids": chosen, "text": text, "margin": margin})
        print(f"greedy {name}, least margin {margin:.4f}: {text!r}", file=sys.stderr)

    header = {
        "limit": LIMIT, "top": TOP, "stride": STRIDE, "detailTop": DETAIL_TOP, "subset": subset,
        "vocabulary": model.config.vocab_size, "prompts": prompts, "greedy": continuations,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "logits.json").write_text(json.dumps(header, ensure_ascii=False, separators=(",", ":")) + "\n")
    (options.out / "logits.bin").write_bytes(blob)
    if full:
        full.close()
        path.with_suffix(".part").rename(path)


if __name__ == "__main__":
    main()
