"""Makes the golden values of CodeBLEU: the four parts and the score of pairs of Python programs, and the syntax trees of
single ones, with the package codebleu.

    pip install codebleu tree-sitter-python==0.21.0
    python Tests/Golden/code_bleu.py       writes Tests/Golden/code_bleu.json
"""

import itertools
import json
import pathlib

import tree_sitter_python
from codebleu import calc_codebleu
from tree_sitter import Language, Parser

PROGRAMS = [
    "print(12 + 5)\n",
    "print(12 - 5)\n",
    "a = 12\nb = 5\ntotal = a + b\nprint(total)\n",
    "apples = 12\neaten = 5\nleft = apples - eaten\nprint(left)\n",
    "def solve(n):\n    total = 0\n    for i in range(n):\n        if i % 3 == 0 or i % 5 == 0:\n            total += i\n"
    "    return total\n\nprint(solve(10))\n",
    "def answer(limit=10):\n    result = 0\n    i = 0\n    while i < limit:\n        if i % 3 == 0:\n            result = result + i\n"
    "        elif i % 5 == 0:\n            result = result + i\n        else:\n            pass\n        i = i + 1\n    return result\n\n"
    "print(answer())\n",
    "def main():\n    return [('boil', 'pour'), ('pour', 'drink')]\n",
    "edges = {('a', 'b'): 1, **other}\nx, y = y, x + 1\nprint(f'{x} of {y:>{w}}', end='')\n",
    "import math\nfrom itertools import chain as c, repeat\nvalues = [math.sqrt(v) for v in c([1, 2], [3]) if v > 1]\nprint(sum(values))\n",
    "class Point:\n    def __init__(self, x: int, y: int = 0, *rest, **named) -> None:\n        self.x = x\n        self.y = y\n\n"
    "    @property\n    def norm(self):\n        return (self.x ** 2 + self.y ** 2) ** 0.5\n",
    "try:\n    with open(name) as f:\n        text = f.read()\nexcept (OSError, ValueError) as error:\n    raise SystemExit('no') from error\n"
    "finally:\n    print('done\\n')\n",
    "best = max(items, key=lambda item: item[1])[0] if items else None\nassert best is not None and best not in seen, 'none'\n"
    "del items[1:2], seen\n",
]
EXTRA = [
    "a[1:2, ::3]", "x = y = 3", "x: list[int] = []", "f(x for x in y)", "-x ** -2", "not a in b", "(n := 3)", "a, = b",
    "(a, *b) = c", "{k: v for k, v in d}", "{1, 2}", "()", "r'\\d' b'x' '\\t'", "while True:\n    break\nelse:\n    pass",
    "async def f():\n    await g()", "global a, b", "from . import *", "from ..x.y import (z as w, q)", "x = yield", "print(1); x = 2",
    "def f(a, /, b, *, c): pass", "for a, b in c, d: continue", "a if b else c, d", "1.5e3 + 0x1F + 10_000", "a @ b // c << 2 | ~d",
    "lambda *a, b=1: 0", "x = f'{a!r}{{}}{b}'", "...",
]


def main():
    parser = Parser()
    parser.language = Language(tree_sitter_python.language())
    trees = [{"program": p, "tree": str(parser.parse(p.encode()).root_node)} for p in PROGRAMS + EXTRA]
    pairs = []
    for first, second in itertools.product(range(len(PROGRAMS)), repeat=2):
        score = calc_codebleu([PROGRAMS[second]], [PROGRAMS[first]], "python", weights=(0.15, 0.15, 0.35, 0.35))
        pairs.append(
            {"program": first, "reference": second}
            | {name.removesuffix("_match_score"): round(value, 12) for name, value in score.items()}
        )
    document = {"programs": PROGRAMS, "trees": trees, "pairs": pairs}
    path = pathlib.Path(__file__).with_name("code_bleu.json")
    path.write_text(json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
