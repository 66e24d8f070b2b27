"""Makes the GGUF files of tests/gguf.rs from the models of tests/parity, and the blocks of
runtime/src/gguf/blocks.rs, with llama.cpp's Python package.

Python 3.11, gguf 0.19.0, safetensors 0.8.0, numpy 2.4.6; after tests/parity/make.py:

    python tests/gguf/make.py
"""

import json
import pathlib

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFWriter, TokenType
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize
from safetensors import safe_open

HERE = pathlib.Path(__file__).parent
PARITY = HERE.parent / "parity"

# where the f16 numbers of a block are, which must not be random bits
SCALES = {"F16": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q8_0": [0], "Q4_K": [0, 2], "Q6_K": [208]}


def blocks():
    rng = np.random.default_rng(7)
    recorded = []
    for kind in (Type.F32, Type.F16, Type.BF16, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q8_0, Type.Q4_K, Type.Q6_K):
        values, width = GGML_QUANT_SIZES[kind]
        count = 16 if values == 1 else 2
        rows = rng.integers(0, 256, (count, width), dtype=np.uint8)
        if kind in (Type.F32, Type.BF16):
            rows = rng.normal(size=count).astype(np.float32).view(np.uint8).reshape(count, 4)[:, 4 - width :]
        for at in SCALES.get(kind.name, []):
            scale = rng.normal(size=(count, 1)).astype(np.float16)
            if kind == Type.Q4_K:
                scale = np.abs(scale)  # as llama.cpp has them: values on both sides of 0
            rows[:, at : at + 2] = scale.view(np.uint8).reshape(count, 2)
        rows = np.ascontiguousarray(rows)
        if kind in (Type.F32, Type.F16):
            out = rows.view(np.float32 if kind == Type.F32 else np.float16).astype(np.float32)
        else:
            out = dequantize(rows, kind)
        shortest = [float(str(x)) for x in out.flatten()]
        recorded.append([int(kind), kind.name, rows.tobytes().hex(), shortest])
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in recorded)
    (HERE / "blocks.json").write_text(f"[\n{lines}\n]\n")


NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def renamed(name):
    stem, kind = name.rsplit(".", 1)
    if stem.startswith("model.layers."):
        _, _, layer, rest = stem.split(".", 3)
        return f"blk.{layer}.{NAMES[rest]}.{kind}"
    return f"{NAMES[stem]}.{kind}"


def permuted(weights, heads):
    """As llama.cpp's converter does it for llama, so that rotary pairs are neighbours."""
    return (
        weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
        .swapaxes(1, 2)
        .reshape(weights.shape)
    )


def divisors(scaling, width):
    """By what llama3's scaling divides each pair's rate: how llama.cpp's converter keeps it."""
    turns = scaling["original_max_position_embeddings"] / (2 * np.pi)
    turns *= scaling["rope_theta"] ** (-np.arange(0, width, 2) / width)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    kept = np.clip((turns - low) / (high - low), 0, 1)
    return (1 / ((1 - kept) / scaling["factor"] + kept)).astype(np.float32)


def tokens():
    """64 tokens: three special ones, characters, and what merges make of them."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letters = list("Ġabcdefghijklmnopqrstuvwxyz0123456789.,?!'")
    merges = ["h e", "l l", "he ll", "hell o", "Ġ w", "o r", "Ġw or", "1 2", "12 3", "l d", "Ġwor ld"]
    all_ = special + letters + [merge.replace(" ", "") for merge in merges]
    all_ += [f"[PAD{i}]" for i in range(64 - len(all_))]
    kinds = [
        TokenType.CONTROL if t in special else TokenType.UNUSED if t.startswith("[PAD") else TokenType.NORMAL
        for t in all_
    ]
    return all_, kinds, merges


def model(source, architecture, pre):
    config = json.loads((PARITY / source / "config.json").read_text())
    writer = GGUFWriter(HERE / f"{source}.gguf", architecture)
    heads, shared = config["num_attention_heads"], config["num_key_value_heads"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(shared)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_vocab_size(config["vocab_size"])
    scaling = config["rope_parameters"]
    if scaling["rope_type"] in ("linear", "yarn"):
        writer.add_string(f"{architecture}.rope.scaling.type", scaling["rope_type"])
        writer.add_float32(f"{architecture}.rope.scaling.factor", scaling["factor"])
        if scaling["rope_type"] == "yarn":
            original = scaling["original_max_position_embeddings"]
            writer.add_uint32(f"{architecture}.rope.scaling.original_context_length", original)
    if scaling["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", divisors(scaling, width))
    all_, kinds, merges = tokens()
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(all_)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    for file in sorted((PARITY / source).glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():
                values = tensors.get_tensor(name).float().numpy()
                if architecture == "llama" and ("q_proj" in name or "k_proj" in name):
                    values = permuted(values, heads if "q_proj" in name else shared)
                writer.add_tensor(renamed(name), values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    blocks()
    model("llama", "llama", "smollm")
    model("llama3", "llama", "llama-bpe")
    model("linear", "llama", "gpt-2")
    model("qwen2", "qwen2", "qwen2")
    model("yarn", "qwen2", "qwen2")
    model("qwen3", "qwen3", "qwen2")
