"""Makes weights-configurations.json, weights-rotary.json and weights-names.json for Tests/ModelsTests/WeightFiles.

Needs torch, transformers, gguf. Run: python Tests/Golden/weights_configurations.py
The first holds a config.json per model type as transformers writes it, the second the rotation frequencies that
transformers computes from configurations with scaling, the third the parameter names in files that transformers saves with
the GGUF names that the gguf package maps them to.
"""

import json
import pathlib
import re
import tempfile

import gguf
import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

HERE = pathlib.Path(__file__).parent
TYPES = {
    "llama": {}, "mistral": {}, "mixtral": {}, "qwen2": {}, "qwen3": {}, "qwen2_moe": {},
    "qwen3_moe": {"num_experts": 128}, "olmoe": {},
    "gemma3_text": {"hidden_size": 640, "num_hidden_layers": 18, "num_attention_heads": 4, "num_key_value_heads": 1,
                    "intermediate_size": 2048, "sliding_window": 512, "vocab_size": 262144},
    "bert": {}, "gpt2": {},
}
DROPPED = {"id2label", "label2id", "_name_or_path", "architectures", "transformers_version", "problem_type"}
BASE = {"model_type": "llama", "hidden_size": 256, "intermediate_size": 64, "num_hidden_layers": 1,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 8, "rms_norm_eps": 1e-5,
        "max_position_embeddings": 8192}
SCALINGS = {
    "plain": {"rope_theta": 100000.0},
    "linear": {"rope_theta": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 4.0}},
    "llama3": {"rope_theta": 500000.0, "rope_scaling": {
        "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 2048}},
    "yarn": {"rope_theta": 1000000.0, "rope_scaling": {
        "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048}},
    "yarn with betas": {"rope_theta": 10000.0, "rope_scaling": {
        "rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 512, "beta_fast": 24.0,
        "beta_slow": 2.0, "attention_factor": 1.25}},
    "yarn with mscale": {"rope_theta": 10000.0, "rope_scaling": {
        "rope_type": "yarn", "factor": 40.0, "original_max_position_embeddings": 4096, "mscale": 1.0,
        "mscale_all_dim": 0.707}},
}
NAMED = {
    "llama": gguf.MODEL_ARCH.LLAMA, "mixtral": gguf.MODEL_ARCH.LLAMA, "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3, "qwen2_moe": gguf.MODEL_ARCH.QWEN2MOE, "qwen3_moe": gguf.MODEL_ARCH.QWEN3MOE,
    "olmoe": gguf.MODEL_ARCH.OLMOE, "gemma3_text": gguf.MODEL_ARCH.GEMMA3, "bert": gguf.MODEL_ARCH.BERT,
    "gpt2": gguf.MODEL_ARCH.GPT2,
}
TINY = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
        "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 16, "num_experts": 2, "num_local_experts": 2,
        "num_experts_per_tok": 1, "moe_intermediate_size": 32, "shared_expert_intermediate_size": 32,
        "pad_token_id": 0, "tie_word_embeddings": False}


def configurations():
    result = {}
    for name, changes in TYPES.items():
        config = AutoConfig.for_model(name, **changes).to_dict()
        result[name] = {key: value for key, value in config.items() if key not in DROPPED}
    return result


def rotary():
    cases = []
    for name, changes in SCALINGS.items():
        fields = BASE | changes
        config = AutoConfig.for_model("llama", **{k: v for k, v in fields.items() if k != "model_type"})
        kind = config.rope_parameters["rope_type"]
        if kind == "default":
            size = config.head_dim
            frequencies = 1.0 / (config.rope_parameters["rope_theta"] ** (torch.arange(0, size, 2).float() / size))
            factor = 1.0
        else:
            frequencies, factor = ROPE_INIT_FUNCTIONS[kind](config, "cpu")
        cases.append({"name": name, "config": fields, "inverse_frequencies": frequencies.tolist(),
                      "attention_factor": factor})
    return cases


def names():
    result = {}
    for name, architecture in NAMED.items():
        mapping = gguf.get_tensor_name_map(architecture, 1)
        config = AutoConfig.for_model(name, **TINY)
        make = AutoModel if name == "bert" else AutoModelForCausalLM
        with tempfile.TemporaryDirectory() as folder:
            make.from_config(config).save_pretrained(folder)
            with safe_open(f"{folder}/model.safetensors", "np") as file:
                parameters = sorted(file.keys())
        result[name] = {
            parameter: mapping.get_name(re.sub(r"experts\.\d+", "experts", parameter), (".weight", ".bias"))
            for parameter in parameters
        }
    return result


def main():
    for file, value in [("configurations", configurations()), ("rotary", rotary()), ("names", names())]:
        target = HERE / f"weights-{file}.json"
        target.write_text(json.dumps(value, indent=1) + "\n")
        print(target, target.stat().st_size)


main()
