"""`limbeck bench rollout` in transformers: `generate` with its cache, in f32.

rollout.py MODEL_DIR ROWS NEW REPEATS; needs torch and transformers. THREADS in the environment, 2 when absent.
"""
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers

from said import say, seconds


def main():
    folder, (rows, new, repeats) = sys.argv[1], map(int, sys.argv[2:5])
    threads = int(os.environ.get("THREADS", "2"))
    torch.set_num_threads(threads)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    chat = [{"role": "user", "content": "What is 17 + 25? Think step by step."}]
    text = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"].repeat(rows, 1)

    @torch.no_grad()
    def speak():
        model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            min_new_tokens=new,
            max_new_tokens=new,
            pad_token_id=0,
        )

    rates = [rows * new / s for s in seconds(repeats, speak)]
    facts = {"threads": threads, "rows": rows, "new": new, "prompt_tokens": ids.shape[1]}
    facts["transformers"] = transformers.__version__
    say("rollout", facts, {"rollout": ("tokens/s", rates)})


main()
