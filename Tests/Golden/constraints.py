"""Judges JSON values by JSON Schemas with the jsonschema package.

Needs jsonschema. Two uses:
  python Tests/Golden/constraints.py
      makes constraints.json for Tests/InferenceTests/Constraints: random schemas, random values, and whether each value is
      valid, written as [{"schema": …, "valid": [values], "invalid": [values]}].
  LYCEUM_CONSTRAINT_SAMPLES=FILE swift test -c release --filter RandomSchema; python Tests/Golden/constraints.py FILE
      checks texts that were drawn under the masks of random schemas. Every text must be JSON that its schema accepts.
"""

import datetime
import ipaddress
import json
import pathlib
import random
import re
import sys
import uuid

from jsonschema import Draft202012Validator, FormatChecker

formats = FormatChecker(formats=())


@formats.checks("date", raises=ValueError)
def is_date(text):
    return not isinstance(text, str) or len(text) == 10 and bool(datetime.date.fromisoformat(text))


@formats.checks("time", raises=ValueError)
def is_time(text):
    return not isinstance(text, str) or datetime.time.fromisoformat(text).tzinfo is not None


@formats.checks("date-time", raises=ValueError)
def is_date_time(text):
    return not isinstance(text, str) or datetime.datetime.fromisoformat(text).tzinfo is not None


@formats.checks("uuid", raises=ValueError)
def is_uuid(text):
    return not isinstance(text, str) or str(uuid.UUID(text)) == text.lower()


@formats.checks("ipv4", raises=ValueError)
def is_ipv4(text):
    return not isinstance(text, str) or bool(ipaddress.IPv4Address(text))


@formats.checks("ipv6", raises=ValueError)
def is_ipv6(text):
    return not isinstance(text, str) or bool(ipaddress.IPv6Address(text))


# Python's classes know other characters than ECMA-262's, which JSON Schema goes by, and its $ allows a line end behind it.
SPELLED = {
    r"\s": "[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]", r"\d": "[0-9]", r"\w": "[A-Za-z0-9_]", "$": r"\Z",
}


def spelled(schema):
    if isinstance(schema, list):
        return [spelled(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: spelled(part) for key, part in schema.items()}
    if isinstance(schema.get("pattern"), str):
        for short, long in SPELLED.items():
            result["pattern"] = result["pattern"].replace(short, long)
    return result


def validator(schema):
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=formats)


STRINGS = ["", "a", "ab", "abc", "é", "日本", "😀x", "2024-02-29", "2023-02-29", "10.0.0.1", "a.b.c", "foo", "n_1", "x y", "0"]
PATTERNS = ["^a", "b", "^[a-z]{2,3}$", "^(a|é)", "[0-9]", "^.{2}$", "^n_", "\\."]
NAMES = ["a", "b", "c", "n_1", "n_2", "é"]


def random_value(rng, depth):
    kind = rng.randrange(8 if depth > 0 else 6)
    if kind == 0:
        return None
    if kind == 1:
        return rng.random() < 0.5
    if kind == 2:
        return rng.randrange(-6, 12)
    if kind == 3:
        return rng.choice([0.5, -1.25, 3.0, 2.75, 1e3, 7.0, -0.1])
    if kind in (4, 5):
        return rng.choice(STRINGS)
    if kind == 6:
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {name: random_value(rng, depth - 1) for name in rng.sample(NAMES, rng.randrange(4))}


def random_schema(rng, depth):
    kind = rng.randrange(16 if depth > 0 else 8)
    some = lambda: random_schema(rng, depth - 1)
    if kind == 0:
        return rng.choice([True, {}, False, {"not": {}}])
    if kind == 1:
        types = ["null", "boolean", "integer", "number", "string", "array", "object"]
        return {"type": rng.choice(types) if rng.random() < 0.5 else rng.sample(types, rng.randrange(1, 4))}
    if kind in (2, 3):
        keyword = rng.choice(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])
        schema = {keyword: rng.choice([0, 3, -1, 2.5, 7])}
        if rng.random() < 0.4:
            schema["multipleOf"] = rng.choice([1, 2, 3, 0.25, 0.5])
        return schema
    if kind in (4, 5):
        schema = {}
        if rng.random() < 0.5:
            schema["minLength"] = rng.randrange(4)
        if rng.random() < 0.5:
            schema["maxLength"] = rng.randrange(4)
        if rng.random() < 0.5:
            schema["pattern"] = rng.choice(PATTERNS)
        if rng.random() < 0.2:
            schema["format"] = rng.choice(["date", "ipv4"])
        return schema
    if kind == 6:
        return {"enum": [random_value(rng, 1) for _ in range(4)]}
    if kind == 7:
        return {"const": random_value(rng, 1)}
    if kind in (8, 9):
        schema = {}
        if rng.random() < 0.5:
            schema["prefixItems"] = [some() for _ in range(rng.randrange(1, 3))]
        if rng.random() < 0.6:
            schema["items"] = some()
        for keyword in ("minItems", "maxItems"):
            if rng.random() < 0.3:
                schema[keyword] = rng.randrange(4)
        if rng.random() < 0.3:
            schema["uniqueItems"] = True
        if rng.random() < 0.2:
            schema |= {"contains": some(), "minContains": rng.randrange(3)}
        return schema
    if kind in (10, 11, 12):
        schema = {"properties": {name: some() for name in rng.sample(NAMES, rng.randrange(3))}}
        if rng.random() < 0.4:
            schema["required"] = rng.sample(NAMES, rng.randrange(3))
        if rng.random() < 0.4:
            schema["additionalProperties"] = some()
        if rng.random() < 0.3:
            schema["patternProperties"] = {"^n_": some()}
        if rng.random() < 0.2:
            schema["propertyNames"] = {"pattern": rng.choice(["^[a-z_0-9]+$", "^n"])}
        for keyword in ("minProperties", "maxProperties"):
            if rng.random() < 0.2:
                schema[keyword] = rng.randrange(4)
        if rng.random() < 0.2:
            schema["dependentRequired"] = {"a": ["b"]}
        return schema
    if kind == 13:
        return {rng.choice(["anyOf", "oneOf", "allOf"]): [some() for _ in range(rng.randrange(1, 4))]}
    if kind == 14:
        return {"if": some(), "then": some(), "else": some()}
    return {"$ref": "#/$defs/node"} if rng.random() < 0.5 else {"not": some()}


def make():
    rng = random.Random(20)
    cases = []
    while len(cases) < 400:
        schema = random_schema(rng, 2)
        if isinstance(schema, dict):
            schema["$defs"] = {"node": {"type": ["array", "null"], "items": {"$ref": "#/$defs/node"}}}
        judge = validator(schema)
        case = {"schema": schema, "valid": [], "invalid": []}
        for _ in range(40):
            value = random_value(rng, 2)
            side = case["valid" if judge.is_valid(value) else "invalid"]
            if value not in side and len(side) < 4:
                side.append(value)
        if case["valid"] and case["invalid"]:
            cases.append(case)
    path = pathlib.Path(__file__).with_name("constraints.json")
    lines = [json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in cases]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{len(cases)} schemas, {path.stat().st_size} bytes")


def check(path):
    drawn = json.loads(pathlib.Path(path).read_text())
    count = 0
    for entry in drawn:
        judge = validator(spelled(json.loads(entry["schema"])))
        for text in entry["samples"]:
            value = json.loads(text)
            problem = next(judge.iter_errors(value), None)
            if problem is not None:
                sys.exit(f"{entry['schema']} made {text}: {problem.message}")
            if re.search(r"\s", re.sub(r'"(\\.|[^"\\])*"', "", text).replace(": ", ":").replace(", ", ",")):
                sys.exit(f"{entry['schema']} made {text}, with spaces elsewhere than behind ':' and ','")
            count += 1
    print(f"{len(drawn)} schemas, {count} texts, all valid")


if __name__ == "__main__":
    check(sys.argv[1]) if len(sys.argv) > 1 else make()
