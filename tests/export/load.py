"""Exported folders in transformers: `python tests/export/load.py LIMBECK FOLDER…`, with transformers installed.

Loads each folder, lets LIMBECK score the same token ids, and compares the log-probabilities. A folder with a
chat template is asked a chat.
"""

import json
import math
import pathlib
import subprocess
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

PLAIN = "^m43*9-6-7*5>"
CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2 + 2? Grüße 🙂"}]


def main(limbeck, folders):
    worst = 0.0
    for folder in folders:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        if tokenizer.chat_template:
            ids = tokenizer.apply_chat_template(CHAT, add_generation_prompt=True, return_dict=False)
        else:
            ids = tokenizer(PLAIN, add_special_tokens=False)["input_ids"]
        words = [limbeck, "score", "--model", folder, "--tokens", ",".join(map(str, ids))]
        ours = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)["logprobs"]
        with torch.no_grad():
            rows = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1)
        theirs = [rows[t, ids[t + 1]].item() for t in range(len(ids) - 1)]
        off = max(abs(a - b) for a, b in zip(ours, theirs, strict=True))
        config = json.loads((pathlib.Path(folder) / "generation_config.json").read_text())
        assert model.generation_config.eos_token_id == config["eos_token_id"], config
        assert math.isfinite(off) and off < 1e-4, off
        print(f"{folder}: {type(model).__name__}, {type(tokenizer).__name__}, {len(ids)} tokens, off by {off:.1e}")
        worst = max(worst, off)
    print(f"worst: {worst:.1e}")


main(sys.argv[1], sys.argv[2:])
