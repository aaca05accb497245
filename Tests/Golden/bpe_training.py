"""Merges that Hugging Face's BpeTrainer learns from a small text, for BytePairTrainerTests.

pip install tokenizers==0.23.3; python Tests/Golden/bpe_training.py
"""

import json
import pathlib

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

TEXTS = [
    "low lower lowest, new newer newest; wide wider widest. " * 3,
    "The cat's 1234 mats weren't 56 flat: naïve café, naïve cafés.\n\n  Two  spaces\tand a tab. " * 2,
    "aaaa aaaaaaaa abab ababab \u6f22\u5b57 \u6f22\u5b57\u6f22 \U0001f600\U0001f600 don't can't won't " * 2,
]


def merges(digits):
    tokenizer = Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level]) if digits else byte_level
    )
    trainer = trainers.BpeTrainer(
        vocab_size=400, min_frequency=2, special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return json.loads(tokenizer.to_str())["model"]["merges"]


path = pathlib.Path(__file__).with_name("bpe_training.json")
path.write_text(
    json.dumps({"texts": TEXTS, "gpt2": merges(False), "digits": merges(True)}, ensure_ascii=True, indent=0) + "\n"
)
