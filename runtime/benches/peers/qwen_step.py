"""A step of on-policy distillation in PyTorch, as `limbeck bench --device cuda --verify` times its own.

    python runtime/benches/peers/qwen_step.py [--dtype float32] [--tf32] [--steps 3] [--small]

A Qwen3-0.6B-shaped student and a 1.7B-shaped teacher with random weights: 16 prompts, 4 responses of 256 tokens each,
said with a cache of keys and values; the teacher's rows over the whole vocabulary, reverse KL at every token in chunks,
AdamW. Needs torch and transformers; prints one JSON line with the seconds of each step but the first.
"""

import argparse
import json
import time

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM


def model(hidden, ffn, arguments, device):
    sizes = dict(hidden_size=hidden, intermediate_size=ffn, num_hidden_layers=28, num_attention_heads=16,
                 num_key_value_heads=8, head_dim=128, vocab_size=151936)
    if arguments.small:
        sizes.update(hidden_size=64, intermediate_size=96, num_hidden_layers=2, vocab_size=300, head_dim=16)
    config = Qwen3Config(max_position_embeddings=4096, rope_theta=1e6, tie_word_embeddings=True,
                         attn_implementation="sdpa", **sizes)
    return Qwen3ForCausalLM(config).to(device=device, dtype=getattr(torch, arguments.dtype))


def reverse_kl(student, teacher, hidden, target, chunk=1024):
    """The mean over rows, and its gradient into `hidden`, a chunk of rows at a time."""
    rows, total = hidden.shape[0], 0.0
    gradient = torch.empty_like(hidden)
    for start in range(0, rows, chunk):
        part = hidden[start:start + chunk].detach().requires_grad_()
        log_s = torch.log_softmax(student.lm_head(part).float(), -1)
        with torch.no_grad():
            log_q = torch.log_softmax(teacher.lm_head(target[start:start + chunk]).float(), -1)
        loss = (log_s.exp() * (log_s - log_q)).sum() / rows
        loss.backward()
        gradient[start:start + chunk] = part.grad
        total += loss.item()
    hidden.backward(gradient)
    return total


def step(student, teacher, optimiser, prompts, new):
    with torch.no_grad():
        said = student.generate(prompts, max_new_tokens=new, min_new_tokens=new, do_sample=True, top_k=0, top_p=1.0,
                                temperature=1.0, pad_token_id=0, eos_token_id=None)
        taught = teacher.model(said[:, :-1]).last_hidden_state[:, -new:]
    hidden = student.model(said[:, :-1]).last_hidden_state[:, -new:]
    loss = reverse_kl(student, teacher, hidden.reshape(-1, hidden.shape[-1]), taught.reshape(-1, taught.shape[-1]))
    torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
    optimiser.step()
    optimiser.zero_grad()
    return loss


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--tf32", action="store_true")
    parser.add_argument("--small", action="store_true", help="tiny models, to see that it runs")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--new", type=int, default=256)
    arguments = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = arguments.tf32
    torch.manual_seed(0)
    student, teacher = model(1024, 3072, arguments, device), model(2048, 6144, arguments, device).eval()
    optimiser = torch.optim.AdamW(student.parameters(), lr=1e-5, weight_decay=0.0, fused=device == "cuda")
    seconds = []
    for _ in range(arguments.steps):
        prompts = torch.randint(1, 300, (16, 24), device=device).repeat_interleave(4, 0)
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        step(student, teacher, optimiser, prompts, arguments.new)
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(json.dumps({"bench": "qwen_step", "device": name, "torch": torch.__version__, "dtype": arguments.dtype,
                      "tf32": arguments.tf32, "seconds": seconds[1:]}))


if __name__ == "__main__":
    main()
