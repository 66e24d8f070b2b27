"""Records what transformers makes of some chats: `python tests/chat/record.py`, with transformers installed.

Writes tokenizer.json, a small byte-level vocabulary with the special tokens of the templates, and
recorded.json, each case with the text and the token ids of `apply_chat_template`.
"""

import json
import pathlib

import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

HERE = pathlib.Path(__file__).parent
SPECIAL = ["<|pad|>", "<|begin|>", "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
PLAIN_ADDED = ["<think>", "</think>"]


def vocabulary():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=360, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    text = [path.read_text() for path in sorted((HERE / "templates").glob("*.jinja"))]
    tokenizer.train_from_iterator(text, trainer)
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in PLAIN_ADDED])
    value = json.loads(tokenizer.to_str())
    (HERE / "tokenizer.json").write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
    return Tokenizer.from_str((HERE / "tokenizer.json").read_text())


def say(*turns):
    return [{"role": role, "content": content} for role, content in turns]


ASKED = say(("user", "What is 2 + 2?"))
SYSTEM = say(("system", " Be brief.\n"), ("user", "  Grüße, 你好 🙂! "))
LONG = say(
    ("user", "Hi"),
    ("assistant", "<think>\nhm\n</think>\n\nHello <|im_end|> there"),
    ("user", "<result>4</result>"),
    ("assistant", "It is 4."),
    ("user", "Sure?\n\n"),
)
SETTINGS = {"big": 7, "deep": {"x": [1, -2.0, 0.5], "y": {}, "z": []}, "no": None, "words": ["a", "b"], "yes": True}
CASES = [
    ("chatml", ASKED, {}),
    ("chatml", SYSTEM, {}),
    ("chatml", LONG, {}),
    ("thinking", ASKED, {}),
    ("thinking", ASKED, {"enable_thinking": False}),
    ("thinking", SYSTEM, {"enable_thinking": True}),
    ("thinking", LONG, {"enable_thinking": False}),
    ("thinking", LONG[:3], {}),
    ("headers", ASKED, {}),
    ("headers", SYSTEM, {}),
    ("headers", LONG, {"date_string": "1 Jan 2030"}),
    ("constructs", ASKED, {}),
    ("constructs", SYSTEM, {"depth": 4, "settings": SETTINGS}),
    ("constructs", LONG, {"settings": SETTINGS}),
    ("constructs", LONG + LONG, {}),
]


def main():
    # the day that a run is told when it names none
    class Day(chat_template_utils.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2024, 7, 26)

    chat_template_utils.datetime = Day
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=vocabulary(), bos_token="<|begin|>", eos_token="<|im_end|>", pad_token="<|pad|>"
    )
    recorded = []
    for name, messages, kwargs in CASES:
        template = (HERE / "templates" / f"{name}.jinja").read_text()
        given = {"chat_template": template, "add_generation_prompt": True, **kwargs}
        text = tokenizer.apply_chat_template(messages, tokenize=False, **given)
        ids = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=False, **given)
        recorded.append({"template": name, "kwargs": kwargs, "messages": messages, "text": text, "ids": ids})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in recorded)
    (HERE / "recorded.json").write_text(f'{{"transformers": "{transformers.__version__}", "cases": [\n{lines}\n]}}\n')


main()
