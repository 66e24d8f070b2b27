"""`limbeck bench decoder` in PyTorch: the same sizes, the same tokens a pass, the same AdamW.

decoder.py VOCABULARY REPEATS; needs torch and transformers. THREADS in the environment, 2 when absent.
"""
import os
import sys

import torch
import transformers
from torch import nn
from torch.nn import functional as F

from said import say, seconds

BATCH, LENGTH, WIDTH, HEADS, FFN, LAYERS = 8, 128, 256, 4, 768, 4
HEAD = WIDTH // HEADS
ROWS, PROMPT, NEW = 64, 16, 64


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.before_attention = nn.Parameter(torch.ones(WIDTH))
        self.before_ffn = nn.Parameter(torch.ones(WIDTH))
        for name in ("query", "key", "value", "output"):
            setattr(self, name, nn.Linear(WIDTH, WIDTH, bias=False))
        self.gate = nn.Linear(WIDTH, FFN, bias=False)
        self.up = nn.Linear(WIDTH, FFN, bias=False)
        self.down = nn.Linear(FFN, WIDTH, bias=False)

    def forward(self, x, turn, past):
        batch, length, _ = x.shape

        def heads(y):
            return y.view(batch, length, HEADS, HEAD).transpose(1, 2)

        h = F.rms_norm(x, (WIDTH,), self.before_attention, 1e-5)
        q, k, v = turned(heads(self.query(h)), turn), turned(heads(self.key(h)), turn), heads(self.value(h))
        if past is not None and past:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        if past is not None:
            past[:] = [k, v]
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=length > 1)
        x = x + self.output(mixed.transpose(1, 2).reshape(batch, length, WIDTH))
        h = F.rms_norm(x, (WIDTH,), self.before_ffn, 1e-5)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


def turned(x, turn):
    cos, sin = turn
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class Decoder(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.Parameter(torch.ones(WIDTH))
        self.head = nn.Linear(WIDTH, vocabulary, bias=False)
        angles = torch.arange(2 * LENGTH)[:, None] * 10000.0 ** (-2 * torch.arange(HEAD // 2) / HEAD)
        angles = torch.cat([angles, angles], -1)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, ids, cache=None, at=0, last=False):
        x = self.embedding(ids)
        turn = self.cos[at : at + ids.shape[1]], self.sin[at : at + ids.shape[1]]
        for i, block in enumerate(self.blocks):
            x = block(x, turn, None if cache is None else cache[i])
        return self.head(F.rms_norm(x[:, -1:] if last else x, (WIDTH,), self.norm, 1e-5))


def generator(vocabulary):
    """The rollout by `generate` of transformers, on its own Llama of these sizes."""
    sizes = {"hidden_size": WIDTH, "intermediate_size": FFN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    config = transformers.LlamaConfig(
        vocab_size=vocabulary, max_position_embeddings=2 * LENGTH, tie_word_embeddings=False, eos_token_id=None,
        pad_token_id=0, bos_token_id=None, **sizes,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    ids = torch.randint(0, vocabulary, (1, PROMPT)).repeat(ROWS, 1)

    @torch.no_grad()
    def speak():
        length = {"min_new_tokens": NEW, "max_new_tokens": NEW}
        model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=True, top_k=0, **length)

    return speak


def main():
    vocabulary, repeats = int(sys.argv[1]), int(sys.argv[2])
    threads = int(os.environ.get("THREADS", "2"))
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = Decoder(vocabulary)
    ids = torch.randint(0, vocabulary, (BATCH, LENGTH + 1))
    read, targets = ids[:, :-1].contiguous(), ids[:, 1:].reshape(-1)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-4, betas=(0.9, 0.95), weight_decay=0.1)

    @torch.no_grad()
    def forward():
        model(read)

    def both():
        model.zero_grad()
        F.cross_entropy(model(read).view(-1, vocabulary), targets).backward()

    def step():
        both()
        optimiser.step()

    @torch.no_grad()
    def speak(rows, prompt, new, greedy):
        cache = [[] for _ in range(LAYERS)]
        token, at = torch.randint(0, vocabulary, (1, prompt)).repeat(rows, 1), 0
        for _ in range(new):
            logits = model(token, cache, at, last=True)[:, 0]
            at += token.shape[1]
            token = logits.argmax(-1, True) if greedy else torch.multinomial(logits.softmax(-1), 1)

    def in_ms(work, each=1):
        return [1e3 * s / each for s in seconds(repeats, work)]

    series = {
        "forward": ("ms", in_ms(forward)),
        "forward and backward": ("ms", in_ms(both)),
        "training step": ("ms", in_ms(step)),
        "decoding, one row": ("ms/token", in_ms(lambda: speak(1, 1, LENGTH, True), LENGTH)),
        "rollout, 64 rows": (
            "tokens/s",
            [ROWS * NEW / s for s in seconds(repeats, lambda: speak(ROWS, PROMPT, NEW, False))],
        ),
        "rollout, 64 rows, generate": (
            "tokens/s",
            [ROWS * NEW / s for s in seconds(repeats, generator(vocabulary))],
        ),
    }
    say("decoder", {"threads": threads, "vocabulary": vocabulary, "torch": torch.__version__}, series)


main()
