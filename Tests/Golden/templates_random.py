"""Random templates, for comparing the interpreter with Jinja2 where no one thought of looking."""

import random

TEXTS = ["''", "'a'", "'Hello, World'", "'  x y  '", "'a,b,,c'", "'é🙂ß'", "'<b>&\"'", "'12'", "'-3.5'", "'it\\'s'", "'a\\nb\\n\\nc'", "'%s'", "'{}'", "'ABC def'", "'0x1F'", "'\\t|\\u2028|'"]
NUMBERS = ["0", "1", "-1", "2", "3", "7", "10", "255", "1.5", "-2.5", "0.1", "1e20", "1e-7", "100000", "3.0", "true", "false"]
NAMES = ["n", "s", "l", "d", "t", "f", "x", "u", "messages", "none"]
TEXT_METHODS = [
    "strip()", "strip('ax ')", "lstrip()", "rstrip()", "split()", "split(',')", "split('', 1)", "split(',', 1)", "rsplit(None, 1)",
    "rsplit(',', 1)", "upper()", "lower()", "title()", "capitalize()", "swapcase()", "replace('a', 'bb')", "replace('', '-')",
    "replace('l', '', 1)", "find('b')", "rfind('l')", "count('l')", "count('')", "startswith('a')", "endswith(('c', 'd'))",
    "splitlines()", "isdigit()", "isalpha()", "isalnum()", "isspace()", "isupper()", "islower()", "zfill(6)", "center(8)",
    "center(9, '*')", "ljust(7)", "rjust(7, '.')", "partition(',')", "rpartition(' ')", "join(['p', 'q'])", "format(1)", "format('z', a=2)",
    "removeprefix('a')", "removesuffix('c')", "expandtabs(3)", "index('l')", "casefold()", "istitle()", "isnumeric()", "isdecimal()",
    "find('l', 3)", "count('a', 1, 5)", "startswith('l', 2, 4)", "isascii()", "isidentifier()",
]
FILTERS = [
    "trim", "length", "upper", "lower", "title", "capitalize", "first", "last", "list", "string", "int", "float", "abs", "round",
    "round(1)", "round(1, 'floor')", "round(0, 'ceil')", "tojson", "tojson(indent=2)", "tojson(ensure_ascii=true)", "tojson(sort_keys=true)",
    "join(', ')", "join", "reverse", "reverse | list", "sort", "sort(reverse=true)", "unique | list", "sum", "min", "max", "d('z')", "d('z', true)",
    "default(0)", "replace('a', 'b')", "indent", "indent(2, true)", "e", "safe", "wordcount", "map('string') | list", "map('upper') | list",
    "map(attribute='a') | list", "map(attribute='role') | list", "select | list", "reject('none') | list", "select('string') | list",
    "selectattr('role') | list | length", "selectattr('role', 'eq', 'user') | list", "rejectattr('a') | list", "dictsort", "items | list",
    "batch(2) | list", "slice(2) | list", "slice(3, 'x') | list", "groupby('role') | list", "urlencode", "truncate(5)", "truncate(9, true, '…')",
    "center(9)", "format('q')", "attr('upper')", "int(5, 16)", "float(1.5)", "count", "forceescape", "sum(start=1)", "map('int') | sum", "striptags",
]
TESTS = [
    "defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "iterable", "sequence", "true", "false",
    "odd", "even", "divisibleby 3", "eq 1", "ne 'a'", "gt 1", "ge 1", "lt 2", "le 1.5", "in [1, 'a']", "sameas none", "callable", "lower", "upper",
]
BINARY = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in", "not in", "+", "~", "=="]
SLICES = ["[0]", "[-1]", "[5]", "['a']", "[1:]", "[:-1]", "[::-1]", "[1:4:2]", "[-3:]", "[::2]", "[10:]", "[4:1:-1]", "[:]", "['role']", "[none:2]"]
ATTRIBUTES = [".a", ".role", ".content", ".items()", ".keys() | list", ".values() | list", ".get('a')", ".get('q', 4)", ".0", ".nothing", ".count(1)", ".index(1)"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, choices):
        return self.random.choice(choices)

    def literal(self):
        kind = self.random.random()
        if kind < 0.35:
            return self.pick(TEXTS)
        if kind < 0.65:
            return self.pick(NUMBERS)
        return self.pick(NAMES)

    def expression(self, depth):
        if depth == 0:
            return self.literal()
        kind = self.random.randrange(14)
        inner = lambda: self.expression(depth - 1)
        if kind == 0:
            return self.literal()
        if kind in (1, 2):
            return f"({inner()} {self.pick(BINARY)} {inner()})"
        if kind in (3, 4, 5):
            return f"({inner()} | {self.pick(FILTERS)})"
        if kind == 6:
            return f"({inner()} is {self.pick(['', '', 'not '])}{self.pick(TESTS)})"
        if kind == 7:
            return f"{self.pick(NAMES + TEXTS)}{self.pick(SLICES)}"
        if kind == 8:
            return f"({self.pick(TEXTS)}).{self.pick(TEXT_METHODS)}"
        if kind == 9:
            return f"({inner()}{self.pick(ATTRIBUTES)})"
        if kind == 10:
            return f"[{inner()}, {inner()}]"
        if kind == 11:
            return self.pick([f"{{'a': {inner()}, 'b': {inner()}}}", f"({inner()}, {inner()})", f"{{{inner()}: 1}}"])
        if kind == 12:
            return f"({inner()} if {inner()} else {inner()})"
        return self.pick([f"(not {inner()})", f"(-{inner()})", f"('%5s|%-4s|%r' % ({inner()}, {inner()}, {inner()}))", f"('{{:>6}}{{!r}}'.format({self.literal()}, {inner()}))"])

    def whitespace(self):
        return self.pick(["", " ", "\n", "  \n ", "\n\n", "\t", "x", " y ", "\n  z"])

    def statements(self, depth):
        return self.whitespace() + "".join(self.statement(depth) + self.whitespace() for _ in range(self.random.randrange(1, 4)))

    def tag(self, code):
        return "{%" + self.pick(["", "", "-", "+"]) + " " + code + " " + self.pick(["", "", "-", "+"]) + "%}"

    def output(self, code):
        return "{{" + self.pick(["", "", "-"]) + " " + code + " " + self.pick(["", "", "-"]) + "}}"

    def statement(self, depth):
        kind = self.random.randrange(12) if depth > 0 else self.random.randrange(3)
        if kind < 3:
            return self.output(self.expression(2))
        inner = lambda: self.statements(depth - 1)
        if kind == 3:
            return self.tag(f"if {self.expression(1)}") + inner() + self.tag(f"elif {self.expression(1)}") + inner() + self.tag("else") + inner() + self.tag("endif")
        if kind in (4, 5):
            loop = self.output(self.pick(["loop.index", "loop.last", "loop.revindex0", "loop.previtem", "loop.cycle(1, 2)", "loop.changed(x)", "loop.nextitem is defined"]))
            test = self.pick(["", "", f" if {self.expression(1)}", " if x"])
            stop = self.pick(["", "", "", self.tag("if loop.index > 1") + self.tag(self.pick(["break", "continue"])) + self.tag("endif")])
            return self.tag(f"for x in {self.pick(['l', 't', 's', 'd', 'messages', 'range(3)', '[]', 'u'])}{test}") + loop + stop + inner() + self.tag("else") + inner() + self.tag("endfor")
        if kind == 6:
            return self.tag(f"set {self.pick(['x', 's', 'n'])} = {self.expression(2)}")
        if kind == 7:
            return self.tag(f"set x{self.pick(['', ' | trim', ' | upper'])}") + inner() + self.tag("endset") + "{{ x }}"
        if kind == 8:
            return self.tag("macro m(a, b=1, c=a)") + inner() + "{{ a }}/{{ b }}/{{ c }}" + self.tag("endmacro") + self.output(f"m({self.expression(1)}, c={self.expression(1)})")
        if kind == 9:
            return self.tag(f"set ns = namespace(a={self.expression(1)})") + self.tag(f"set ns.a = {self.expression(1)}") + "{{ ns.a }}"
        if kind == 10:
            return self.tag(f"filter {self.pick(['upper', 'trim', 'indent(2)', 'length | string'])}") + inner() + self.tag("endfilter")
        return "{#" + self.pick(["", "-"]) + " c " + self.pick(["", "-"]) + "#}" + self.tag(f"with x = {self.expression(1)}") + inner() + self.tag("endwith")


HEAD = "{%- set n = 3 %}{% set s = 'Some text, here' %}{% set l = [3, 1, 2] %}{% set d = {'a': 1, 'b': 'x', 'role': 'user'} %}{% set t = ('p', 'q') %}{% set f = 2.5 %}{% set x = [{'a': 1, 'role': 'user'}, {'a': 'b'}] %}"


def templates(count, seed):
    found = {}
    for index in range(count):
        maker = Maker(seed * 1_000_003 + index)
        found[f"random {index}"] = HEAD + (maker.output(maker.expression(3)) if index % 2 else maker.statements(2))
    return found
