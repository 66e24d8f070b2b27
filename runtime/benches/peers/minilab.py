"""The prototype's models and prompts as files of ours, and what its models say of some texts.

minilab.py PROTOTYPE TO; needs torch and safetensors. PROTOTYPE is a folder with lab.py, opd.py and the weights.

It writes the model folders TO/student, TO/math and TO/code, and the rows TO/pool.jsonl and TO/held_out.jsonl, and
prints a line of JSON: for each folder some texts with the prototype's log-probability of each of their tokens.
"""
import json
import pathlib
import shutil
import sys

import torch
from safetensors.torch import save_file

sys.path.insert(0, sys.argv[1])
import lab
import opd

START = pathlib.Path(__file__).resolve().parents[3] / "examples/assets/start"
MODELS = {"student": "start_gaps.pt", "math": "expert_math.pt", "code": "expert_code.pt"}
DOMAINS = {"m": "math", "c": "code"}
# the longest prompt of a domain, plain and hinted: to this length the prototype fills up on the left, and its models
# know where a response begins by what stands before it
LONGEST = {"m": (13, 22), "c": (12, 27)}
PAD = "<pad>"
# what all models are asked about: both domains, plain and hinted, and once filled up
TEXTS = ["^m43*9-6>*9:87;-6=81\n", "^clis:9489?4899;5900>l:4899;i:5900;s=0059\n", PAD * 3 + "^m43*9-6>*9:87;-6=81\n"]


def ids(text):
    return [lab.PAD] * text.count(PAD) + lab.enc(text.replace(PAD, ""))


def same_tokens():
    """Stops unless our tokenizer calls every token what the prototype does."""
    ours = json.loads((START / "tokenizer.json").read_text())["model"]["vocab"]
    theirs = {PAD: lab.PAD, "^": lab.BOS, "\n": lab.EOS, **lab.IX}
    if ours != theirs:
        sys.exit(f"the prototype's tokens are not those of {START.name}: {sorted(set(ours.items()) ^ set(theirs.items()))}")


def renamed(weights, layers):
    """The prototype's matrices under their Hugging Face names; its rotary pairs are halves of a head, as there."""
    found = {"model.embed_tokens.weight": "e.weight", "model.norm.weight": "nf", "lm_head.weight": "hd.weight"}
    found = {name: weights[theirs] for name, theirs in found.items()}
    for i in range(layers):
        at, to = f"b.{i}.", f"model.layers.{i}."
        found[to + "input_layernorm.weight"] = weights[at + "n1"]
        found[to + "post_attention_layernorm.weight"] = weights[at + "n2"]
        for side, part in zip("qkv", weights[at + "qkv.weight"].chunk(3)):
            found[to + f"self_attn.{side}_proj.weight"] = part
        found[to + "self_attn.o_proj.weight"] = weights[at + "o.weight"]
        for side, part in zip(("gate", "up"), weights[at + "gu.weight"].chunk(2)):
            found[to + f"mlp.{side}_proj.weight"] = part
        found[to + "mlp.down_proj.weight"] = weights[at + "dn.weight"]
    return {name: value.contiguous().clone() for name, value in found.items()}


def convert(weights, folder):
    """A model folder, and what the prototype says of the texts."""
    model = lab.load(f"{sys.argv[1]}/{weights}")
    own = model.cfg
    folder.mkdir()
    save_file(renamed(model.state_dict(), own["L"]), folder / "model.safetensors", metadata={"format": "pt"})
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(START / name, folder)
    config = json.loads((START / "config.json").read_text())
    config |= {"hidden_size": own["d"], "num_hidden_layers": own["L"], "intermediate_size": own["ff"]}
    config |= {"num_attention_heads": own["h"], "num_key_value_heads": own["h"], "head_dim": own["d"] // own["h"]}
    config |= {"torch_dtype": "float32", "vocab_size": lab.V}
    (folder / "config.json").write_text(json.dumps(config))
    return [{"text": text, "logprobs": logprobs(model, ids(text))} for text in TEXTS]


@torch.no_grad()
def logprobs(model, tokens):
    said = model(torch.tensor([tokens]))[0].log_softmax(-1)
    return [float(said[t, tokens[t + 1]]) for t in range(len(tokens) - 1)]


def row(example):
    """A data row of ours: the prompt, plain and hinted, filled up as the prototype does."""
    texts = [lab.prompt(example), lab.prompt(example, "part")]
    plain, hinted = [PAD * (longest - len(text)) + text for text, longest in zip(texts, LONGEST[example.dom])]
    return {"prompt": plain, "hinted": hinted, "answer": example.st[-1],
            "domain": DOMAINS[example.dom], "level": example.k}


def main():
    same_tokens()
    to = pathlib.Path(sys.argv[2])
    print(json.dumps({name: convert(weights, to / name) for name, weights in MODELS.items()}))
    # the same prompts as the prototype draws and is examined on
    for name, rows in (("pool", opd.make_pool(256, ks=(2, 3, 4))), ("held_out", lab.evalset(160, ks=(2, 3, 4)))):
        (to / f"{name}.jsonl").write_text("".join(json.dumps(row(example)) + "\n" for example in rows))


main()
