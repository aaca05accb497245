"""Makes the golden values of the text metrics: BLEU and chrF with sacrebleu, ROUGE with rouge-score, the rest from its formula
with nothing but the standard library.

    python Tests/Golden/metrics.py        writes Tests/Golden/metrics.json
"""

import collections
import functools
import itertools
import json
import math
import pathlib
import random
import re
import string

import sacrebleu
from rouge_score import rouge_scorer

PAIRS = [
    ("The cat sat on the mat.", ["The cat is on the mat.", "There is a cat on the mat."]),
    ("the the the the the the the", ["The cat is on the mat"]),
    ("It costs $1,234.50 -- or 5-10% less, e.g. \"now\".", ["It costs 1,234.50$, or 5 - 10 % less (e.g. 'now')."]),
    ("", ["Something"]),
    ("Something", [""]),
    ("A", ["A"]),
    ("Der schnelle braune Fuchs springt über den faulen Hund", ["Der flinke braune Fuchs springt über einen faulen Hund."]),
    ("кошка сидит на ковре", ["кошка лежит на ковре"]),
    ("猫はマットの上に座った。", ["猫がマットの上に座っていた。"]),
    ("&quot;Tom &amp; Jerry&quot; <skipped>is a-\nshow &lt;3", ["\"Tom & Jerry\" is a show <3", "Tom and Jerry"]),
    ("An apple, a day; the doctor's away!", ["apple day doctors away"]),
    ("a an the", [""]),
    ("The answer: forty-two (42)", ["42", "forty two", "the answer is 42"]),
    ("state-of-the-art", ["State of the Art"]),
    ("one two three four five six seven", ["one two three five four six seven"]),
    ("x.y.z... 3.14,15. 1-2-3 a-1 [ok] {no} don't", ["x . y . z 3.14 , 15 . 1 - 2 - 3 a-1 [ ok ] { no } do n't"]),
]

WORDS = "the a red blue old new house river of in and runs sleeps slowly fast 1,5 2.0 (then) why? no.".split()
rng = random.Random(7)
for _ in range(24):
    reference = [rng.choice(WORDS) for _ in range(rng.randrange(1, 18))]
    hypothesis = [word for word in reference if rng.random() < 0.8]
    for _ in range(rng.randrange(4)):
        hypothesis.insert(rng.randrange(len(hypothesis) + 1), rng.choice(WORDS))
    other = [rng.choice(WORDS) for _ in range(rng.randrange(1, 12))]
    PAIRS.append((" ".join(hypothesis), [" ".join(reference), " ".join(other)][: rng.randrange(1, 3)]))

SMOOTHINGS = {"exponential": ("exp", None), "none": ("none", None), "floor": ("floor", 0.1), "addK": ("add-k", 1)}


def squad_tokens(text):
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text, flags=re.UNICODE).split()


def squad_f1(prediction, reference):
    left, right = squad_tokens(prediction), squad_tokens(reference)
    if not left or not right:
        return float(left == right)
    same = sum((collections.Counter(left) & collections.Counter(right)).values())
    return 2 * same / (len(left) + len(right))


def edits(left, right):
    @functools.lru_cache(None)
    def distance(i, j):
        if not i or not j:
            return i + j
        return min(
            distance(i - 1, j) + 1, distance(i, j - 1) + 1, distance(i - 1, j - 1) + (left[i - 1] != right[j - 1])
        )

    return distance(len(left), len(right))


def runs(tokens, n):
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def bm25(documents, query, k1, b):
    split = [re.findall(r"\w+", document.lower()) for document in documents]
    mean = sum(map(len, split)) / len(split)
    found = []
    for number, words in enumerate(split):
        score = 0
        for word in re.findall(r"\w+", query.lower()):
            frequency = words.count(word)
            having = sum(word in other for other in split)
            weight = math.log(1 + (len(split) - having + 0.5) / (having + 0.5))
            score += weight * frequency * (k1 + 1) / (frequency + k1 * (1 - b + b * len(words) / mean))
        if score > 0:
            found.append((number, score))
    return sorted(found, key=lambda item: (-item[1], item[0]))


def bleu(result):
    return {
        "score": result.score,
        "precisions": result.precisions,
        "penalty": result.bp,
        "lengths": [result.sys_len, result.ref_len],
    }


def corpus_references(pairs):
    width = max(len(references) for _, references in pairs)
    return [[references[i] if i < len(references) else None for _, references in pairs] for i in range(width)]


def main():
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=False)
    cases = []
    for hypothesis, references in PAIRS:
        rouge = scorer.score(references[0], hypothesis)
        words, expected = hypothesis.split(), references[0].split()
        sets = [set(runs(words, 2)), set(runs(expected, 2))]
        cases.append(
            {
                "hypothesis": hypothesis,
                "references": references,
                "bleu": {
                    name: bleu(
                        sacrebleu.sentence_bleu(hypothesis, references, smooth_method=method, smooth_value=value)
                    )
                    for name, (method, value) in SMOOTHINGS.items()
                },
                "chrf": sacrebleu.sentence_chrf(hypothesis, references).score,
                "chrf++": sacrebleu.sentence_chrf(hypothesis, references, word_order=2).score,
                "rouge": {name: [score.precision, score.recall, score.fmeasure] for name, score in rouge.items()},
                "exact": any(squad_tokens(hypothesis) == squad_tokens(reference) for reference in references),
                "f1": max(squad_f1(hypothesis, reference) for reference in references),
                "edits": edits(hypothesis, references[0]),
                "containment": len(sets[0] & sets[1]) / len(sets[0]) if sets[0] else 0,
                "resemblance": len(sets[0] & sets[1]) / len(sets[0] | sets[1]) if sets[0] | sets[1] else 0,
            }
        )
    hypotheses = [hypothesis for hypothesis, _ in PAIRS]
    references = corpus_references(PAIRS)
    texts = [hypothesis.split() for hypothesis in hypotheses]
    every = {n: list(itertools.chain.from_iterable(runs(text, n) for text in texts)) for n in (1, 2, 3)}
    queries = ["the cat", "Forty-two: the ANSWER", "river river house", "кошка", "nothing-here", "the the a"]
    document = {
        "cases": cases,
        "corpus": {
            "bleu": {
                name: bleu(sacrebleu.corpus_bleu(hypotheses, references, smooth_method=method, smooth_value=value))
                for name, (method, value) in SMOOTHINGS.items()
            },
            "chrf": sacrebleu.corpus_chrf(hypotheses, references).score,
            "chrf++": sacrebleu.corpus_chrf(hypotheses, references, word_order=2).score,
            "distinct": {str(n): len(set(found)) / len(found) for n, found in every.items()},
        },
        "retrieval": [
            {"query": query, "k1": k1, "b": b, "found": bm25(hypotheses, query, k1, b)}
            for query in queries
            for k1, b in ((1.2, 0.75), (2.0, 0.0))
        ],
    }
    with open(pathlib.Path(__file__).parent / "metrics.json", "w") as file:
        json.dump(document, file, ensure_ascii=False, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
