"""Makes the golden values of the chat template tests with Jinja2 as Hugging Face transformers sets it up.

    python Tests/Golden/templates.py                    writes Tests/Golden/templates.json
    python Tests/Golden/templates.py --folder F --out O  the same cases for every *.jinja file of a folder
    python Tests/Golden/templates.py --random N --out O  N random templates

The first form renders templates of our own (templates_own.py) and the embedded model's, whose source is not stored: the
tests read it out of the GGUF file. The others are for checking by hand against what is not ours, or too much, to store:

    LYCEUM_TEMPLATE_CASES=O swift test -c release --filter TemplateCasesTests

Needs transformers, jinja2 and, for the first form, gguf.
"""

import argparse
import datetime
import json
import os
import pathlib

from transformers.utils import chat_template_utils

from templates_conversations import CONVERSATIONS, VARIANTS
from templates_own import TEMPLATES
from templates_random import templates as random_templates

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 7, 4, 5, 6, 7)
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


def compiled(source):
    template = chat_template_utils._compile_jinja_template(source)
    template.environment.globals["strftime_now"] = lambda form: NOW.strftime(form)
    return template


def rendered(source, conversation, variant):
    """What apply_chat_template gives, or the kind of error it ends in."""
    arguments = dict(TOKENS)
    arguments.update(variant.get("extra", {}))
    try:
        compiled(source)
        texts, _ = chat_template_utils.render_jinja_template(
            conversations=[json.loads(json.dumps(conversation["messages"]))],
            tools=conversation.get("tools") or None,
            chat_template=source,
            add_generation_prompt=variant.get("prompt", True),
            continue_final_message=variant.get("continue", False),
            **arguments,
        )
        return {"expected": texts[0]}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}


def cases(source):
    found = []
    for name, conversation in CONVERSATIONS.items():
        for variant in VARIANTS:
            last = conversation["messages"][-1:]
            if variant.get("continue") and (not last or last[0]["role"] != "assistant"):
                continue
            if variant.get("only") and name not in variant["only"]:
                continue
            found.append(
                {"conversation": name, "variant": VARIANTS.index(variant)} | rendered(source, conversation, variant)
            )
    return found


def embedded_source():
    import gguf

    cache = os.environ.get("LYCEUM_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "lyceum"
    )
    folder = os.environ.get("LYCEUM_MODELS") or os.path.join(cache, "models")
    reader = gguf.GGUFReader(os.path.join(folder, "SmolLM2-135M-Instruct.Q4_1.gguf"))
    return reader.get_field("tokenizer.chat_template").contents()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder")
    parser.add_argument("--out", default=str(HERE / "templates.json"))
    parser.add_argument("--random", type=int)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    document = {
        "now": [NOW.year, NOW.month, NOW.day, NOW.hour, NOW.minute, NOW.second],
        "tokens": TOKENS,
        "conversations": CONVERSATIONS,
        "variants": VARIANTS,
    }
    if options.folder:
        paths = sorted(pathlib.Path(options.folder).glob("**/*.jinja"))
        sources = {path.stem: path.read_text() for path in paths}
        document["templates"] = [
            {"name": name, "source": source, "cases": cases(source)} for name, source in sources.items()
        ]
    elif options.random:
        short = CONVERSATIONS["short"]
        document["templates"] = [
            {"name": name, "source": source, "cases": [{"conversation": "short", "variant": 0} | rendered(source, short, {})]}
            for name, source in random_templates(options.random, options.seed).items()
        ]
    else:
        document["templates"] = [{"name": "embedded", "cases": cases(embedded_source())}]
        for name, source in TEMPLATES.items():
            template = {"name": name, "source": source}
            if name.startswith("chat-"):
                template["cases"] = cases(source)
            else:
                template["cases"] = [{"conversation": "short", "variant": 0} | rendered(source, CONVERSATIONS["short"], {})]
            document["templates"].append(template)
    total = [case for template in document["templates"] for case in template["cases"]]
    errors = sum("error" in case for case in total)
    print(f"{len(document['templates'])} templates, {len(total)} cases, {errors} of them errors")
    with open(options.out, "w") as file:
        json.dump(document, file, ensure_ascii=False, indent=0)
        file.write("\n")


if __name__ == "__main__":
    main()
