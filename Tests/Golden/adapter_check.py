"""Adapters that Lyceum trains, loaded by PEFT: are the log-probabilities those that Lyceum gives?

    python Tests/Golden/adapter_check.py [LYCEUM]

Writes the embedded model as a Hugging Face folder, trains adapters of each form beside it on a few made-up samples, and scores a
text with model and adapter on both sides, in f32. Ends with status 1 where they differ by more than 1e-3 nats.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import peft
import torch
import transformers

TEXT = "The quick brown fox jumps over the lazy dog, and 17 herons watch it from the far bank of the river."
BOUND = 1e-3


def run(*arguments):
    return subprocess.run([*map(str, arguments)], check=True, capture_output=True, text=True).stdout


def peft_log_probabilities(base, adapter, ids):
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model = peft.PeftModel.from_pretrained(model, adapter) if adapter else model
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, :-1]
    return logits.log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0]


def main():
    lyceum = sys.argv[1] if len(sys.argv) > 1 else ".build/release/lyceum"
    bad = False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        base, text, data = folder / "base", folder / "text.txt", folder / "data.jsonl"
        text.write_text(TEXT)
        data.write_text("".join(
            json.dumps({"prompt": f"Word {i}: ", "completion": word}) + "\n"
            for i, word in enumerate("heron fox river dog bank quick lazy brown".split() * 4)))
        run(lyceum, "model", "convert", "embedded", base, "--numbers", "F32")
        without = None
        for form in ("none", "lora", "dora", "qlora"):
            adapter = None if form == "none" else folder / form
            if adapter:
                run(lyceum, "tune", "--model", base, "--data", data, "--form", form, "--rank", "8", "--steps", "8",
                    "--rate", "1e-3", "--batch", "8", "--out", adapter)
            flags = ["--adapter", adapter] if adapter else []
            ours = json.loads(run(lyceum, "score", "--model", base, "--precision", "f32", "--json", *flags, text))
            theirs = peft_log_probabilities(base, adapter, ours["ids"])
            mine = torch.tensor(ours["logprobs"][1:])
            worst = (mine - theirs).abs().max().item()
            moved = 0.0 if without is None else (theirs - without).abs().max().item()
            without = theirs if without is None else without
            good = worst <= BOUND and (form == "none" or moved > 10 * BOUND)
            bad |= not good
            print(f"{form}: largest difference {worst:.1e} over {len(mine)} tokens; the adapter moves them by {moved:.2f}; "
                  f"{'as it should be' if good else 'WRONG'}")
    sys.exit(bad)


if __name__ == "__main__":
    main()
