"""Golden values for Laboratory's statistics and random generator, made with SciPy.

Usage: python3 Tests/Golden/statistics_goldens.py > Tests/Golden/statistics.json
"""

import sys

# This file's own folder would otherwise stand before the standard library, whose `statistics` SciPy's dependencies import.
sys.path.pop(0)

import json
import random

from scipy import stats


def wilson():
    cases = []
    for k, n, confidence in [(0, 5, 0.95), (3, 7, 0.95), (8, 10, 0.95), (50, 50, 0.99), (312, 1000, 0.9)]:
        interval = stats.binomtest(k, n).proportion_ci(confidence_level=confidence, method="wilson")
        cases.append({"k": k, "n": n, "confidence": confidence, "low": interval.low, "high": interval.high})
    return cases


def binomial():
    return [
        {"k": k, "n": n, "p": p, "pvalue": stats.binomtest(k, n, p).pvalue}
        for k, n, p in [(3, 10, 0.5), (9, 10, 0.5), (7, 40, 0.25), (0, 12, 0.1), (480, 900, 0.5), (5, 5, 0.5)]
    ]


def mcnemar():
    return [
        {"b": b, "c": c, "pvalue": min(1.0, 2 * stats.binom.cdf(min(b, c), b + c, 0.5)) if b + c else 1.0}
        for b, c in [(0, 0), (1, 9), (6, 6), (3, 20), (0, 5), (40, 61)]
    ]


def correlation():
    draw = random.Random(7)
    cases = []
    for size, slope in [(5, 1.0), (12, -0.4), (30, 0.1), (60, 0.8)]:
        x = [round(draw.gauss(0, 1), 2) for _ in range(size)]
        y = [round(slope * a + draw.gauss(0, 1), 1) for a in x]
        pearson, spearman = stats.pearsonr(x, y), stats.spearmanr(x, y)
        cases.append(
            {
                "x": x, "y": y, "pearson": pearson.statistic, "pearson_p": pearson.pvalue,
                "spearman": spearman.statistic, "spearman_p": spearman.pvalue,
            }
        )
    return cases


def auroc():
    draw = random.Random(8)
    cases = []
    for size, shift in [(6, 1.0), (20, 0.0), (40, 0.7), (25, -1.0)]:
        labels = [1, 0] + [draw.randint(0, 1) for _ in range(size - 2)]
        scores = [round(draw.gauss(shift * label, 1), 1) for label in labels]
        positive = [s for s, label in zip(scores, labels) if label]
        negative = [s for s, label in zip(scores, labels) if not label]
        u = stats.mannwhitneyu(positive, negative).statistic
        cases.append({"scores": scores, "labels": labels, "auroc": u / (len(positive) * len(negative))})
    return cases


def xoshiro(seed, count):
    """xoshiro256** seeded by SplitMix64, from the algorithms' description."""
    mask = (1 << 64) - 1
    state = []
    for _ in range(4):
        seed = (seed + 0x9E3779B97F4A7C15) & mask
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        state.append(z ^ (z >> 31))

    def rotate(value, bits):
        return ((value << bits) | (value >> (64 - bits))) & mask

    draws = []
    for _ in range(count):
        draws.append(str((rotate((state[1] * 5) & mask, 7) * 9) & mask))
        shifted = (state[1] << 17) & mask
        state[2] ^= state[0]
        state[3] ^= state[1]
        state[1] ^= state[2]
        state[0] ^= state[3]
        state[2] ^= shifted
        state[3] = rotate(state[3], 45)
    return draws


json.dump(
    {
        "wilson": wilson(), "binomial": binomial(), "mcnemar": mcnemar(), "correlation": correlation(),
        "auroc": auroc(), "xoshiro_seed_0": xoshiro(0, 4),
    },
    sys.stdout, indent=1,
)
sys.stdout.write("\n")
