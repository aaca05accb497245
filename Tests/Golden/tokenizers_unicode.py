"""Writes the Unicode class table that the pre-tokenizers use, as seen by the Hugging Face `tokenizers` library.

The classes are probed from the library itself (its regular-expression engine), so that token ids do not depend on the
Unicode version of whoever builds Lyceum. Run:

    cd ../../Sources/Text/Tokenizers
    python tokenizers_unicode.py classes > UnicodeClassRuns.swift
    python tokenizers_unicode.py words > WordClassRuns.swift
    python tokenizers_unicode.py decompositions > UnicodeDecompositions.swift
"""

import sys
import unicodedata

from tokenizers import Regex, normalizers, pre_tokenizers

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]

# The bits of a class, in the order of `UnicodeClass` in Swift.
PATTERNS = [r"\p{L}", r"\p{N}", r"\s", r"\p{M}", r"\p{P}", r"\p{S}", r"[\p{Lu}\p{Lt}]", r"\p{Ll}"]


def matching(pattern):
    split = pre_tokenizers.Split(Regex(pattern), "removed")
    found = set()
    for start in range(0, len(SCALARS), 4096):
        chunk = SCALARS[start : start + 4096]
        kept = set()
        for text, _ in split.pre_tokenize_str("".join(map(chr, chunk))):
            kept.update(map(ord, text))
        found.update(c for c in chunk if c not in kept)
    return found


def runs_of(classes):
    flags = [0] * 0x110000
    for bit, members in enumerate(classes):
        for c in members:
            flags[c] |= 1 << bit
    runs, start = [], 0
    for c in range(1, 0x110001):
        if c == 0x110000 or flags[c] != flags[start]:
            runs.append((c - start, flags[start]))
            start = c
    return runs


def write_array(name, doc, values, kind="UInt32"):
    print(doc)
    print(f"let {name}: [{kind}] = [")
    line = "   "
    for value in values:
        item = f" {value},"
        if len(line) + len(item) > 118:
            print(line)
            line = "   "
        line += item
    print(line)
    print("]")


def word_classes():
    """What the steps written in plain Rust (not regular expressions) take characters for."""
    clean = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False
    )
    chinese = normalizers.BertNormalizer(
        clean_text=False, handle_chinese_chars=True, strip_accents=False, lowercase=False
    )
    accents = normalizers.StripAccents()
    bert = pre_tokenizers.BertPreTokenizer()
    words = pre_tokenizers.Whitespace()
    bert_accents = normalizers.BertNormalizer(
        clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False
    )
    removed, blank, spaced, mark, punctuation, word, nonspacing = (set() for _ in range(7))
    for c in SCALARS:
        x = chr(c)
        cleaned = clean.normalize_str(x)
        if cleaned == "":
            removed.add(c)
        elif cleaned != x:
            assert cleaned == " "
            blank.add(c)
        if x == " ":
            blank.add(c)
        if chinese.normalize_str(x) != x:
            spaced.add(c)
        if accents.normalize_str(x) == "":
            mark.add(c)
        pieces = [t for t, _ in bert.pre_tokenize_str("a" + x + "a")]
        if len(pieces) == 3:
            punctuation.add(c)
        if len(words.pre_tokenize_str("a" + x)) == 1 and words.pre_tokenize_str("a" + x)[0][0] == "a" + x:
            word.add(c)
        if bert_accents.normalize_str(x) == "":
            nonspacing.add(c)
    return [removed, blank, spaced, mark, punctuation, word, matching(r"\w"), nonspacing]


def write_text(name, doc, items):
    print(doc)
    print(f'let {name}: StaticString = """')
    line = "   "
    for item in items:
        if len(line) + 1 + len(item) > 116:
            print(line + " \\")
            line = "   "
        line += " " + item
    print(line)
    print('    """')


def decompositions():
    """Full decompositions, combining classes and compositions as the library's normalisers have them."""
    nfd, nfkd, nfc = normalizers.NFD(), normalizers.NFKD(), normalizers.NFC()
    canonical, compatible, lower = [], [], []
    lowercase = normalizers.Lowercase()
    for c in SCALARS:
        x = chr(c)
        if lowercase.normalize_str(x) != x:
            lower.append((c, lowercase.normalize_str(x)))
        if 0xAC00 <= c <= 0xD7A3:
            continue
        d, k = nfd.normalize_str(x), nfkd.normalize_str(x)
        if d != x:
            canonical.append((c, d))
        if k != d:
            compatible.append((c, k))
    # A mark's class shows in how it is ordered among marks of known classes.
    classes = []
    for c in SCALARS:
        value = unicodedata.combining(chr(c))
        if value:
            lowest, highest = "\u0334", "\u0345"  # classes 1 and 240
            swaps = nfd.normalize_str("a" + highest + chr(c)) != "a" + highest + nfd.normalize_str(chr(c))
            if swaps or value >= 240 or nfd.normalize_str("a" + chr(c) + lowest)[1] == lowest:
                classes.append((c, value))
    pairs = []
    for c, _ in canonical:
        parts = unicodedata.decomposition(chr(c)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            first, second = (int(p, 16) for p in parts)
            if nfc.normalize_str(chr(first) + chr(second)) == chr(c):
                pairs.append((first, second, c))
    text = lambda s: ".".join(f"{ord(x):X}" for x in s)
    write_text(
        "canonicalDecompositions",
        "/// Full canonical decompositions (Hangul syllables excepted): the code point, `=`, its parts; in hexadecimal.",
        [f"{c:X}={text(d)}" for c, d in canonical],
    )
    print()
    write_text(
        "compatibilityDecompositions",
        "/// Full compatibility decompositions where they differ from the canonical ones, in the same form.",
        [f"{c:X}={text(d)}" for c, d in compatible],
    )
    print()
    write_text(
        "combiningClasses",
        "/// Combining classes other than 0: the code point, `=`, the class; in hexadecimal.",
        [f"{c:X}={v:X}" for c, v in classes],
    )
    print()
    write_text(
        "compositions",
        "/// Which two code points compose: the composed one, `=`, the two.",
        [f"{c:X}={a:X}.{b:X}" for a, b, c in pairs],
    )
    print()
    write_text(
        "lowercaseMappings",
        "/// Lower-case forms of the characters that change, in the same form.",
        [f"{c:X}={text(d)}" for c, d in lower],
    )


print("// Generated by Tests/Golden/tokenizers_unicode.py. Do not edit.")
print()
if sys.argv[1] == "classes":
    write_array(
        "unicodeClassRuns",
        "/// The class of every code point as runs: the length of the run in the upper 24 bits, the class in the lower 8.",
        [length << 8 | flags for length, flags in runs_of(matching(pattern) for pattern in PATTERNS)],
    )
elif sys.argv[1] == "words":
    write_array(
        "wordClassRuns",
        "/// The `WordClass` of every code point as runs: the length in the upper 24 bits, the class in the lower 8.",
        [length << 8 | flags for length, flags in runs_of(word_classes())],
    )
elif sys.argv[1] == "decompositions":
    decompositions()
