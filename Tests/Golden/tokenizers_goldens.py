"""Writes the golden token ids that the tokenizer tests compare with, made with the Hugging Face `tokenizers` library.

Needs `tokenizers`, `sentencepiece`, `protobuf` and `gguf`. Run in this folder:

    python tokenizers_goldens.py SmolLM2-135M-Instruct.Q4_1.gguf

It writes `tokenizers/smollm2.json` (the embedded model's tokenizer, built from its GGUF file) and one file for each kind of
tokenizer in `tokenizers/`, which holds a small trained `tokenizer.json` and its cases: a text, its ids with special tokens as
text (`ids`) and recognised (`special`), the latter with boundaries (`bounded`), and what the ids decode to (`decoded`).
"""

import io
import json
import os
import random
import sys
import tempfile
import unicodedata

import gguf
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tokenizers")
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")
GPT4O = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

FIXED = [
    "", " ", "  ", "a", "   a", "a   ", "\n\n a", "Hello, world!", "I'm we'll YOU'RE don'T 'S 's 'ſ", "3.14159 12345 1,000",
    "naïve café résumé", "ﬁne ① Å é ½ ²", "Ünïcödé ÀÉ", "你好世界 hello 世界", "日本語テキスト、カタカナ", "한국어 텍스트", "각",
    "👨‍👩‍👧‍👦 🇺🇸 👍🏽 ❤️", "мама мыла раму", "<s> </s> <unk> [CLS] [SEP] <|im_start|>user<|im_end|>", "<tool>x <mask> y hello hellos",
    "def f(x):\n\treturn x**2  # c\r\n\r\n    pass", "\x00\x01\x07\x1b[0m\x7f", "a\u0301e\u0308", "\ufffd", "▁a ▁ b", "x" * 120,
    "aaaaaaa" * 30, " " * 50 + "x", "\t\t\t  \n", "İstanbul ΑΣ ǅ ß ẞ", "\u200b\ufeff\u00ad", "word " * 20, "ⅷ Ⅻ ৪ ๕ ꘠", "नमस्ते दुनिया",
    "مرحبا بالعالم", "ไทย ภาษา", "The quick brown fox jumps over the lazy dog.", "https://example.org/a?b=c&d=%20e#f",
    '{"key": [1, 2.5e-3, null], "s": "\\u00e9"}', "if (a != b && c >= 0) { return a<<2; } // ok", "\u2028\u2029\u0085\u00a0\u3000",
    "١٢٣ 四五六 ¼", "e\u0323\u0307 \u0307\u0323", "Ω Å K ﬀ", "... --- !!! ??", "C'est l'été, n'est-ce pas?", "½½½ ²³",
]

POOLS = (
    [range(0x20, 0x7F)] * 4
    + [range(0x61, 0x7B)] * 4
    + [range(0, 0x20), range(0x80, 0x250), range(0x400, 0x460), range(0x300, 0x370), range(0x4E00, 0x5000)]
    + [range(0x1F300, 0x1F650), [0x200D, 0xFE0F, 0x2000, 0x3000, 0xA0, 0x85, 0x2028, 0x2581, 0xAD], range(0x600, 0x700)]
    + [range(0x900, 0x980), range(0xAC00, 0xAD00), range(0x1100, 0x1200), [0x20], [0x20], [0x0A], [0x0D, 9, 0x0B, 0x0C]]
    + [range(0x30, 0x3A), range(0x2460, 0x2480), [0x11DE3, 0x16FF5, 0x1D7CE, 0xB2, 0xBD], [0x27], range(0x1E00, 0x1F00)]
    + [range(0xFF00, 0xFF60), range(0x3040, 0x3100), range(0x1F1E6, 0x1F200), range(0x1F3FB, 0x1F400)]
)


def random_text(source):
    out, pool = [], source.choice(POOLS)
    for _ in range(source.randint(1, 50)):
        if source.random() < 0.35:
            pool = source.choice(POOLS)
        if source.random() < 0.03:
            c = source.randrange(0x110000)
            if not 0xD800 <= c < 0xE000:
                out.append(chr(c))
        out.append(chr(source.choice(pool)))
    return "".join(out)


def random_bytes(source):
    data = bytearray(random_text(source).encode())
    for _ in range(source.randint(1, 6)):
        place = source.randrange(len(data) + 1)
        data[place:place] = source.choice(
            [b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe0\x80\x80", b"\xff", b"\xc3", b"\x80"]
        )
    return bytes(data)


def corpus():
    """Something to train on: this file's own words and the texts above, and random ones."""
    source = random.Random(1)
    words = open(os.path.abspath(__file__), encoding="utf-8").read().split() + " ".join(FIXED).split()
    return FIXED * 3 + [" ".join(source.choices(words, k=40)) for _ in range(300)] + [random_text(source) for _ in range(60)]


def cases(tokenizer, texts):
    result = []
    for text in texts:
        plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        case = {"text": text} if isinstance(text, str) else {"bytes": list(text)}
        tokenizer.encode_special_tokens = True
        case["ids"] = tokenizer.encode(plain, add_special_tokens=False).ids
        tokenizer.encode_special_tokens = False
        case["special"] = tokenizer.encode(plain, add_special_tokens=False).ids
        case["bounded"] = tokenizer.encode(plain).ids
        case["decoded"] = tokenizer.decode(case["ids"], skip_special_tokens=False)
        for key, other in (("bounded", "special"), ("special", "ids")):
            if case[key] == case[other]:
                del case[key]
        result.append(case)
    return result


def write(name, tokenizer, texts, embed=True):
    out = {"cases": cases(tokenizer, texts)}
    if embed:
        out["tokenizer"] = json.loads(tokenizer.to_str())
    with io.open(os.path.join(FOLDER, name + ".json"), "w", encoding="utf-8") as file:
        file.write("{")
        if embed:
            file.write('"tokenizer":' + json.dumps(out["tokenizer"], ensure_ascii=True, separators=(",", ":")) + ",\n")
        file.write('"cases":[\n')
        file.write(",\n".join(json.dumps(c, ensure_ascii=True, separators=(",", ":")) for c in out["cases"]))
        file.write("\n]}\n")


def texts(seed, count):
    source = random.Random(seed)
    return FIXED + [random_text(source) for _ in range(count)] + [random_bytes(source) for _ in range(count // 4)]


def embedded(path):
    fields = gguf.GGUFReader(path).fields
    tokens, merges, types = (fields["tokenizer.ggml." + k].contents() for k in ("tokens", "merges", "token_type"))
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, [tuple(m.split(" ")) for m in merges]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = 3
    tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t, k in zip(tokens, types) if k == control])
    return tokenizer


def byte_level(pre_tokenizer, normalizer=None, ignore_merges=False, alphabet=True):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        show_progress=False,
        special_tokens=["<s>", "</s>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if alphabet else [],
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_tokens(
        [
            AddedToken("<tool>", normalized=False, special=False),
            AddedToken("hello", normalized=True, single_word=True),
            AddedToken("<mask>", lstrip=True, rstrip=True),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return tokenizer


def word_piece(normalizer, pre_tokenizer):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=60))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(
        corpus(),
        trainers.WordPieceTrainer(
            vocab_size=900, limit_alphabet=300, show_progress=False, special_tokens=["[UNK]", "[CLS]", "[SEP]"]
        ),
    )
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return tokenizer


def normalization_rules():
    """A small table of replacements: compatibility forms, composed letters, odd spaces, characters to remove."""
    rules = {"\t": " ", "\u3000": " ", "\u00a0": " ", "\u200b": "", "\ufeff": "", "\x07": "", "e\u0301": "é", "a\u0308": "ä"}
    for c in [*range(0xFF01, 0xFF5F), *range(0xFB00, 0xFB05), *range(0x2460, 0x2474), 0xBD, 0xB2, 0x212B, 0x2126]:
        rules[chr(c)] = unicodedata.normalize("NFKC", chr(c))
    path = os.path.join(tempfile.mkdtemp(), "rules.tsv")
    with open(path, "w") as file:
        for source, target in sorted(rules.items()):
            file.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
    return path


def sentence_piece(kind, fallback):
    known = set(map(chr, range(0x20, 0x7F))) | set("éàüåß▁мамыларуш你好世界")
    lines = ["".join(c for c in t if c in known) for t in corpus()]
    model = io.BytesIO()
    rules = normalization_rules() if kind == "unigram" and not fallback else None
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=700,
        model_type=kind,
        byte_fallback=fallback,
        hard_vocab_limit=False,
        minloglevel=2,
        **({"normalization_rule_tsv": rules} if rules else {"normalization_rule_name": "identity"}),
    )
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    pieces = [(p.piece, p.score) for p in proto.pieces]
    sequence = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    if kind == "unigram":
        tokenizer = Tokenizer(models.Unigram(pieces, proto.trainer_spec.unk_id, byte_fallback=fallback))
        if not fallback:
            tokenizer.normalizer = normalizers.Sequence(
                [
                    normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
                    normalizers.Replace(Regex(" {2,}"), " "),
                ]
            )
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Sequence(sequence) if fallback else decoders.Metaspace()
    else:
        ids = {piece: index for index, (piece, _) in enumerate(pieces)}
        merges = []
        for piece, score in pieces:
            ways = [(piece[:i], piece[i:], score) for i in range(1, len(piece)) if piece[:i] in ids and piece[i:] in ids]
            merges += sorted(ways, key=lambda way: (ids[way[0]], ids[way[1]]))
        merges = [(a, b) for a, b, _ in sorted(merges, key=lambda way: way[2], reverse=True)]
        tokenizer = Tokenizer(models.BPE(ids, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=fallback))
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.decoder = decoders.Sequence(sequence)
    tokenizer.add_special_tokens([AddedToken(x, normalized=False) for x in ("<unk>", "<s>", "</s>")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return tokenizer


def main():
    os.makedirs(FOLDER, exist_ok=True)
    write("smollm2", embedded(sys.argv[1]), texts(100, 400), embed=False)

    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    split = lambda pattern: pre_tokenizers.Split(Regex(pattern), "isolated")
    in_order = lambda *steps: pre_tokenizers.Sequence(list(steps))
    kinds = {
        "gpt2": byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), alphabet=False),
        "roberta": byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True)),
        "llama3": byte_level(in_order(split(LLAMA3), bytes_only), ignore_merges=True),
        "qwen2": byte_level(in_order(split(QWEN2), bytes_only), normalizer=normalizers.NFC()),
        "gpt4o": byte_level(in_order(split(GPT4O), bytes_only)),
        "falcon": byte_level(
            in_order(
                pre_tokenizers.Punctuation("contiguous"),
                pre_tokenizers.ByteLevel(add_prefix_space=False),
                pre_tokenizers.Digits(individual_digits=False),
                split("[0-9][0-9][0-9]"),
            )
        ),
        "bert": word_piece(normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()),
        "wordpiece-nfkc": word_piece(
            normalizers.Sequence([normalizers.NFKC(), normalizers.Nmt(), normalizers.Lowercase()]),
            in_order(
                pre_tokenizers.WhitespaceSplit(),
                pre_tokenizers.Punctuation("merged_with_previous"),
                pre_tokenizers.Digits(),
            ),
        ),
        "wordpiece-nfkd": word_piece(
            normalizers.Sequence(
                [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Strip(), normalizers.Replace(Regex("[0-9]+"), "#")]
            ),
            pre_tokenizers.Whitespace(),
        ),
        "unigram": sentence_piece("unigram", fallback=False),
        "unigram-bytes": sentence_piece("unigram", fallback=True),
        "sentencepiece-bpe": sentence_piece("bpe", fallback=True),
    }
    for seed, (name, tokenizer) in enumerate(kinds.items()):
        write(name, tokenizer, texts(seed, 60))


main()
