"""Golden sentence embeddings of all-MiniLM-L6-v2, from Hugging Face transformers in f32.

Writes Tests/ModelsTests/Goldens/embeddings.json and embeddings.bin (layout in README.md): for every sentence the
mean over its tokens, as the model is meant to be used, and the first token's state, as the BGE family pools.
Both are scaled to length one.
"""

import argparse
import json
import pathlib

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from logits import cache_folder

# What sentence_bert_config.json says. The tokenizer.json of this model asks for 128 and for padding to 128;
# sentence-transformers overrides both.
LIMIT = 256

LONG = (
    "The harbour froze that winter for the first time in thirty years, and the boats that had not been hauled out "
    "in time sat in the ice like flies in amber while their owners walked around them with hammers and advice. "
)

SENTENCES = [
    "A man is playing the guitar on stage.",
    "Someone performs music for an audience.",
    "The stock market fell sharply on Tuesday.",
    "How do I reset my password?",
    "I forgot my login and need a new one.",
    "Café déjà vu — naïve résumé, ÅNGSTRÖM!",
    "def add(a, b): return a + b  # sums two numbers",
    "东京是日本的首都。",
    "Съешь же ещё этих мягких французских булок.",
    "ok",
    LONG * 3,
    LONG * 8,
]


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, default=cache_folder() / "models/all-MiniLM-L6-v2")
    parser.add_argument("--out", type=pathlib.Path, default=here.parent / "ModelsTests/Goldens")
    options = parser.parse_args()

    config = BertConfig.from_json_file(options.model / "config.json")
    model = BertModel(config).eval()
    state = load_file(options.model / "model.safetensors")
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not missing and set(unexpected) <= {"embeddings.position_ids"}, (missing, unexpected)

    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LIMIT)

    rows, blob = [], b""
    for sentence in SENTENCES:
        ids = tokenizer.encode(sentence).ids
        with torch.no_grad():
            states = model(torch.tensor([ids])).last_hidden_state[0]
        for pooled in (states.mean(0), states[0]):
            blob += torch.nn.functional.normalize(pooled, dim=0).numpy().astype("<f4").tobytes()
        rows.append({"text": sentence, "ids": ids})

    header = {"width": config.hidden_size, "poolings": ["mean", "first"], "limit": LIMIT, "sentences": rows}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "embeddings.json").write_text(json.dumps(header, ensure_ascii=False, separators=(",", ":")) + "\n")
    (options.out / "embeddings.bin").write_bytes(blob)


if __name__ == "__main__":
    main()
