"""Tiny random models of every architecture, and their logits or states from Hugging Face transformers in f32.

Writes a folder a model, as save_pretrained leaves it, to Tests/ModelsTests/Goldens/architectures (layout in README.md).
Weights are drawn wide enough that no part of a layer is lost in the sum: norms and biases are random, too.
"""

import argparse
import json
import pathlib

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

SEED = 20251124
VOCABULARY = 128
PROMPT = 40
SIZES = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 48, "max_position_embeddings": 256, "bos_token_id": 1,
    "eos_token_id": 2, "pad_token_id": 0, "tie_word_embeddings": False,
}
EXPERTS = {"num_experts_per_tok": 2, "output_router_logits": False}


def decoders_by_name():
    """The name of each folder, its class of configuration and what differs from SIZES."""
    t = transformers
    return {
        "llama": (t.LlamaConfig, {
            "rope_parameters": {
                "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
                "high_freq_factor": 4.0, "original_max_position_embeddings": 64}}),
        "mistral": (t.MistralConfig, {"sliding_window": 11, "head_dim": 16}),
        "qwen2": (t.Qwen2Config, {"tie_word_embeddings": True}),
        "qwen3": (t.Qwen3Config, {"head_dim": 24}),
        "gemma3_text": (t.Gemma3TextConfig, {
            "num_hidden_layers": 3, "head_dim": 16, "query_pre_attn_scalar": 24, "sliding_window": 9,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
            "tie_word_embeddings": True,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}}),
        "mixtral": (t.MixtralConfig, {"num_local_experts": 4, "intermediate_size": 24, **EXPERTS}),
        "qwen2_moe": (t.Qwen2MoeConfig, {
            "num_experts": 4, "moe_intermediate_size": 16, "shared_expert_intermediate_size": 24,
            "norm_topk_prob": False, **EXPERTS}),
        "qwen3_moe": (t.Qwen3MoeConfig, {
            "num_experts": 4, "moe_intermediate_size": 16, "head_dim": 16, "norm_topk_prob": True,
            "mlp_only_layers": [0], **EXPERTS}),
        "olmoe": (t.OlmoeConfig, {"num_experts": 4, "intermediate_size": 16, "norm_topk_prob": False, **EXPERTS}),
    }


def fill(model, generator):
    """Random numbers for every parameter, of a size that keeps the residual stream near 1."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if "embed" in name:
            # Tied embeddings are the output projection, too.
            parameter.data = noise * (0.3 if model.config.tie_word_embeddings else 1.0)
        elif parameter.dim() == 1:
            # Gemma's norms scale by 1 + weight, the others by weight.
            centre = 1.0 if "norm" in name.lower() and "weight" in name and "gemma" not in model.config.model_type else 0.0
            parameter.data = centre + 0.3 * noise
        else:
            parameter.data = noise / parameter.shape[-1] ** 0.5


def byte_tokenizer():
    """One token a byte below 128."""
    alphabet = {}
    for byte in range(VOCABULARY):
        character = chr(byte) if 33 <= byte <= 126 else chr(256 + len([b for b in range(byte) if not 33 <= b <= 126]))
        alphabet[character] = byte
    tokenizer = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def save(model, folder):
    """In bf16, which halves the files; what is read back is computed with in f32."""
    folder.mkdir(parents=True, exist_ok=True)
    model.bfloat16().save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    byte_tokenizer().save(str(folder / "tokenizer.json"), pretty=False)


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default=here.parent / "ModelsTests/Goldens/architectures")
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(SEED)
    prompts = torch.randint(3, VOCABULARY, (2, PROMPT), generator=generator)

    listed = []
    for name, (kind, changes) in decoders_by_name().items():
        config = kind(**{**SIZES, **changes})
        config._attn_implementation = "eager"
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
        fill(model, generator)
        folder = options.out / name
        save(model, folder)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager").eval()
        with torch.no_grad():
            logits = model(prompts).logits
        (folder / "logits.bin").write_bytes(logits.numpy().astype("<f4").tobytes())
        listed.append(name)
        print(f"{name}: logits of deviation {logits.std():.3f}, largest {logits.abs().max():.2f}")

    config = transformers.BertConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=64)
    config._attn_implementation = "eager"
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    fill(model, generator)
    folder = options.out / "bert"
    save(model, folder)
    model = transformers.BertModel.from_pretrained(
        folder, add_pooling_layer=False, dtype=torch.float32, attn_implementation="eager").eval()
    segments = torch.zeros_like(prompts)
    segments[:, PROMPT // 2:] = 1
    with torch.no_grad():
        states = model(prompts, token_type_ids=segments).last_hidden_state
    (folder / "states.bin").write_bytes(states.numpy().astype("<f4").tobytes())
    print(f"bert: states of deviation {states.std():.3f}")

    document = {"vocabulary": VOCABULARY, "decoders": listed, "prompts": prompts.tolist()}
    (options.out / "architectures.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
