"""Makes the tiny model with eyes of tests/parity_seeing.rs with transformers, and the numbers that it computes with it.

Versions as in make.py; needs no image processor, for the pictures are made of numbers:

    python tests/parity/make_seeing.py             writes the folder and the JSON file beside this file
    python tests/parity/make_seeing.py --check DIR compares what Limbeck wrote to DIR with the same numbers;
                                                   `LIMBECK_PARITY_OUT=DIR cargo test --test parity_seeing` writes it
"""

import json
import pathlib
import shutil
import sys

import torch
import transformers
from transformers import Idefics3Config, Idefics3ForConditionalGeneration
from make import SIZES, lively, rope

HERE = pathlib.Path(__file__).parent
SIDE, TOKENS, IMAGE = 16, 4, 60
CONFIG = dict(
    text_config=dict(
        model_type="llama",
        **{**SIZES, "vocab_size": 64},
        rope_parameters=rope(rope_type="default"),
        tie_word_embeddings=False,
    ),
    vision_config=dict(
        hidden_size=8,
        intermediate_size=12,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=4,
        # far from the usual, so that another value shows
        layer_norm_eps=1e-3,
    ),
    scale_factor=2,
    image_token_id=IMAGE,
    pad_token_id=0,
    tie_word_embeddings=False,
)
# two images in the first sequence, one in the second, none in the third
SEQUENCES = [
    [1, 17, *[IMAGE] * TOKENS, 5, 63, *[IMAGE] * TOKENS, 0, 9, 9, 30, 58, 21, 44],
    [40, *[IMAGE] * TOKENS, 3, 19, 55, 8, 22, 37, 14, 62],
    [11, 49, 33, 6, 25],
]
PICTURES = [2, 1, 0]
# where the answers begin: what stands before is never predicted
FIRST = [14, 6, 1]
SAID = 12


def picture(number):
    """Bytes that a Rust test can make as well: [row][column][channel]."""
    byte = lambda y, x, c: (37 * number + 61 * y + 83 * x + 101 * c + 7 * x * y) % 256
    return [[[byte(y, x, c) for c in range(3)] for x in range(SIDE)] for y in range(SIDE)]


def pixels(numbers):
    values = torch.tensor([picture(number) for number in numbers], dtype=torch.float32)
    return ((values / 255 - 0.5) / 0.5).permute(0, 3, 1, 2)[None]


def seen():
    """The numbers of the pictures of each sequence."""
    starts = [sum(PICTURES[:i]) for i in range(len(PICTURES))]
    return [list(range(start, start + count)) for start, count in zip(starts, PICTURES)]


def logits(model, tokens, numbers):
    eyes = dict(pixel_values=pixels(numbers)) if numbers else {}
    return model(input_ids=torch.tensor([tokens]), **eyes).logits[0]


def rows(model):
    all_rows = []
    for tokens, numbers, first in zip(SEQUENCES, seen(), FIRST):
        all_rows.append(logits(model, tokens, numbers)[first - 1 : -1])
    return all_rows


def numbers(model):
    predicted = rows(model)
    targets = [torch.tensor(tokens[first:]) for tokens, first in zip(SEQUENCES, FIRST)]
    loss = torch.nn.functional.cross_entropy(torch.cat(predicted), torch.cat(targets))
    loss.backward()
    said = list(SEQUENCES[1])
    for _ in range(SAID):
        two = logits(model, said, seen()[1])[-1].topk(2)
        assert two.values[0] - two.values[1] > 1e-3, "a tie: choose another seed"
        said.append(int(two.indices[0]))
    shorter = lambda tensor, digits: [float(f"{x:.{digits}g}") for x in tensor.detach().flatten().tolist()]
    return dict(
        sequences=SEQUENCES,
        first=FIRST,
        pictures=seen(),
        logits=[shorter(row, 7) for row in torch.cat(predicted)],
        loss=loss.item(),
        gradients={name: shorter(p.grad, 5) for name, p in model.named_parameters()},
        greedy=said[len(SEQUENCES[1]) :],
    )


def make():
    folder = HERE / "idefics3"
    shutil.rmtree(folder, ignore_errors=True)
    config = Idefics3Config(**CONFIG)
    config._attn_implementation = "eager"
    model = Idefics3ForConditionalGeneration(config)
    lively(model, 21)
    model.save_pretrained(folder)
    read = Idefics3ForConditionalGeneration.from_pretrained(folder, attn_implementation="eager")
    (HERE / "idefics3.json").write_text(json.dumps(numbers(read), separators=(",", ":")) + "\n")
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{size} bytes in {sorted(file.name for file in folder.iterdir())}")


def check(written):
    model = Idefics3ForConditionalGeneration.from_pretrained(written / "idefics3", dtype=torch.float32)
    known = json.loads((HERE / "idefics3.json").read_text())
    off = (torch.cat(rows(model)) - torch.tensor(known["logits"])).abs().max().item()
    print(f"logits off by {off:.1e}")
    assert off < 1e-4


if __name__ == "__main__":
    print("torch", torch.__version__, "transformers", transformers.__version__)
    torch.set_num_threads(1)
    check(pathlib.Path(sys.argv[2])) if sys.argv[1:2] == ["--check"] else make()
