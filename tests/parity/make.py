"""Makes the tiny models of tests/parity.rs with transformers, and the numbers that it computes with them.

Python 3.11, torch 2.15.0, transformers 5.23.0, safetensors 0.8.0:

    python tests/parity/make.py             writes a folder and a JSON file a model, beside this file
    python tests/parity/make.py --check DIR compares what Limbeck wrote to DIR with the same numbers;
                                            `LIMBECK_PARITY_OUT=DIR cargo test --test parity` writes it
"""

import json
import pathlib
import shutil
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config

HERE = pathlib.Path(__file__).parent
SIZES = dict(
    vocab_size=64,
    hidden_size=16,
    intermediate_size=24,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    bos_token_id=1,
    eos_token_id=[2, 3],
    # far from the usual, so that another value shows
    rms_norm_eps=1e-3,
)


def rope(**more):
    return dict(rope_theta=500.0, **more)


MODELS = {
    # grouped queries, an output layer of its own, in shards
    "llama": (LlamaConfig(**SIZES, rope_parameters=rope(rope_type="default")), "float32", "12KB"),
    # Llama 3.2's scaling, tied, biases in attention
    "llama3": (
        LlamaConfig(
            **SIZES,
            tie_word_embeddings=True,
            attention_bias=True,
            head_dim=8,
            rope_parameters=rope(
                rope_type="llama3",
                factor=8.0,
                low_freq_factor=1.0,
                high_freq_factor=4.0,
                original_max_position_embeddings=16,
            ),
        ),
        "float32",
        "1GB",
    ),
    "linear": (LlamaConfig(**SIZES, rope_parameters=rope(rope_type="linear", factor=4.0)), "float32", "1GB"),
    "qwen2": (
        Qwen2Config(**SIZES, tie_word_embeddings=True, rope_parameters=rope(rope_type="default")),
        "bfloat16",
        "1GB",
    ),
    "yarn": (
        Qwen2Config(
            **SIZES,
            head_dim=8,
            rope_parameters=rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=16),
        ),
        "float32",
        "1GB",
    ),
    # heads of another width than hidden / heads
    "qwen3": (
        Qwen3Config(**SIZES, head_dim=10, rope_parameters=rope(rope_type="default")),
        "float16",
        "1GB",
    ),
}

# two sequences of different lengths; each token after the first is predicted
SEQUENCES = [
    [1, 17, 42, 5, 63, 0, 9, 9, 30, 58, 21, 44, 13, 7, 51, 36, 2, 28, 60, 11, 49, 33, 6, 25],
    [40, 3, 19, 55, 8, 22, 37, 14, 62],
]
PROMPT, SAID = SEQUENCES[1], 12


def lively(model, seed):
    """Random weights with everything far from its neutral start."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        p.data = 1 + 0.3 * noise if "norm" in name else (0.4 if p.dim() > 1 else 0.2) * noise


def logits(model, tokens):
    return model(torch.tensor([tokens])).logits[0]


def numbers(model):
    rows = [logits(model, tokens)[:-1] for tokens in SEQUENCES]
    targets = [torch.tensor(tokens[1:]) for tokens in SEQUENCES]
    loss = torch.nn.functional.cross_entropy(torch.cat(rows), torch.cat(targets))
    loss.backward()
    said = list(PROMPT)
    for _ in range(SAID):
        two = logits(model, said)[-1].topk(2)
        assert two.values[0] - two.values[1] > 1e-3, "a tie: choose another seed"
        said.append(int(two.indices[0]))
    shorter = lambda tensor, digits: [float(f"{x:.{digits}g}") for x in tensor.detach().flatten().tolist()]
    return dict(
        sequences=SEQUENCES,
        logits=[shorter(row, 7) for row in torch.cat(rows)],
        loss=loss.item(),
        gradients={name: shorter(p.grad, 5) for name, p in model.named_parameters()},
        prompt=PROMPT,
        greedy=said[len(PROMPT) :],
    )


def make():
    for seed, (name, (config, dtype, shard)) in enumerate(MODELS.items()):
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        config._attn_implementation = "eager"
        model = AutoModelForCausalLM.from_config(config)
        lively(model, seed + 1)
        model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size=shard)
        # the numbers are those of the weights as they were stored, computed with 32 bits
        read = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
        (HERE / f"{name}.json").write_text(json.dumps(numbers(read), separators=(",", ":")) + "\n")
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(f"{name}: {size} bytes in {sorted(file.name for file in folder.iterdir())}")


def check(written):
    for name in MODELS:
        model = AutoModelForCausalLM.from_pretrained(written / name, dtype=torch.float32)
        known = json.loads((HERE / f"{name}.json").read_text())
        rows = torch.cat([logits(model, tokens)[:-1] for tokens in SEQUENCES])
        off = (rows - torch.tensor(known["logits"])).abs().max().item()
        print(f"{name}: logits off by {off:.1e}")
        assert off < 1e-4


if __name__ == "__main__":
    print("torch", torch.__version__, "transformers", transformers.__version__)
    torch.set_num_threads(1)
    check(pathlib.Path(sys.argv[2])) if sys.argv[1:2] == ["--check"] else make()
