"""What transformers makes of SmolLM2-135M-Instruct, for tests/smollm2.rs.

Python 3.11, torch 2.15.0, transformers 5.23.0, gguf 0.19.0, accelerate 1.x:

    python tests/smollm2/record.py FILE.gguf      reads the GGUF file itself and writes recorded.json
    python tests/smollm2/record.py --check FOLDER compares the folder that `limbeck import-gguf` wrote
"""

import json
import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = pathlib.Path(__file__).parent
RECORDED = HERE / "recorded.json"
SENTENCE = (
    "The quick brown fox jumps over the lazy dog. Paris is the capital of France, "
    "and Berlin is the capital of Germany."
)
TEXTS = [
    SENTENCE,
    "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n",
    "12345 + 6789 = 19134; 3.14159, 1/2 and 50%",
    "Café, naïve, Zürich, Škoda; İstanbul",
    "日本語のテキスト、中文和한국어",
    "emoji 😀👩‍🔬 and\ttabs\r\n\r\n  three   spaces   ",
    "don't, it's, WE'LL, they've",
    "<|im_start|>user\nhello<|im_end|>\n",
    "",
]
PROMPTS = ["The capital of France is", [{"role": "user", "content": "What is 17 + 25?"}]]
LONGEST = 32


def open_model(place):
    place = pathlib.Path(place)
    where = dict(gguf_file=place.name) if place.suffix == ".gguf" else {}
    folder = place.parent if where else place
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **where)
    return AutoTokenizer.from_pretrained(folder, **where), model.eval()


def perplexity(model, ids):
    tokens = torch.tensor([ids])
    with torch.no_grad():
        rows = model(tokens).logits[0, :-1].double().log_softmax(-1)
    log_probs = rows.gather(1, tokens[0, 1:, None])[:, 0]
    return log_probs.tolist(), (-log_probs.mean()).exp().item()


def facts(tokenizer, model):
    encode = lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]
    answers = []
    for prompt in PROMPTS:
        read = prompt
        if not isinstance(prompt, str):
            read = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
        ids = encode(read)
        with torch.no_grad():
            out = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=LONGEST, eos_token_id=2)
        said = out[0, len(ids) :].tolist()
        answers.append(dict(prompt=prompt, read=read, tokens=said, text=tokenizer.decode(said)))
    ids = encode(SENTENCE)
    log_probs, whole = perplexity(model, ids)
    return dict(
        texts=[[text, encode(text)] for text in TEXTS],
        sentence=ids,
        log_probs=[round(x, 5) for x in log_probs],
        perplexity=whole,
        answers=answers,
    )


if __name__ == "__main__":
    torch.set_num_threads(2)
    if sys.argv[1] == "--check":
        known, found = json.loads(RECORDED.read_text()), facts(*open_model(sys.argv[2]))
        print("perplexity", found["perplexity"], "recorded", known["perplexity"])
        assert abs(found["perplexity"] - known["perplexity"]) < 1e-3
        for part in ("texts", "sentence", "answers"):
            assert json.loads(json.dumps(found[part])) == known[part], part
        print("the same tokens, the same text, the same answers")
    else:
        found = facts(*open_model(sys.argv[1]))
        RECORDED.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        print("perplexity", found["perplexity"])
