"""The embedded model's tokenizer as Hugging Face's `tokenizers` builds it, out of the GGUF file's own lists."""

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

CONTROL = 3  # how GGUF marks a control token in tokenizer.ggml.token_type


def metadata(reader):
    """All the key-value pairs of a GGUFReader as a dictionary."""
    return {name: field.contents() for name, field in reader.fields.items()}


def make_tokenizer(meta, special=False):
    """Byte-level BPE that splits digits apart, as SmolLM2's own tokenizer.json has it.

    Control tokens are recognised in text only where special is true.
    """
    tokens = meta["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ", 1)) for merge in meta["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    if special:
        control = [t for t, kind in zip(tokens, meta["tokenizer.ggml.token_type"]) if kind == CONTROL]
        tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in control])
    return tokenizer
