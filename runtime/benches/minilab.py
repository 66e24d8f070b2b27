"""A small study run beside the prototype it was first tried in: seconds a step, and what was learnt.

    cargo build --release -p limbeck --bench minilab
    python3 runtime/benches/minilab.py --limbeck target/release/deps/minilab-… --peer PYTHON --prototype FOLDER

FOLDER holds the prototype (lab.py, opd.py, sweep.py) and its weights (start_gaps.pt, expert_math.pt, expert_code.pt).
PYTHON has torch. Both start from these weights: a student of 0.23 million parameters, two experts of 0.8 million, 16
prompts and 8 answers to each, 60 steps, one thread each, runs of the two in turn.
"""
import argparse
import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOKENIZER = HERE.parents[1] / "examples/assets/start"
RECIPES = {"vanilla": "Vanilla", "dopd": "ExpertsOrSelf"}
RUN = """Run(
    recipe: "{recipe}", seed: {seed}, steps: 60, batch: 16,
    student: "{models}/student", teachers: {{"math": "{models}/math", "code": "{models}/code"}},
    data: "{models}/pool.jsonl",
    verifiers: {{"math": Pattern("^[^=]*={{answer}}$"), "code": Pattern("^[^=]*={{answer}}$")}},
    eval: (data: "{models}/held_out.jsonl", samples: 2),
)
"""
# the prototype's prompts, padded as it pads them: its models know where a response begins by what stands before it
PROMPTS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import lab, opd
LONGEST = {"m": (13, 22), "c": (12, 27)}
DOMAINS = {"m": "math", "c": "code"}
def row(e):
    texts = [lab.prompt(e), lab.prompt(e, "part")]
    plain, hinted = ["<pad>" * (longest - len(text)) + text for text, longest in zip(texts, LONGEST[e.dom])]
    return {"prompt": plain, "hinted": hinted, "answer": e.st[-1], "domain": DOMAINS[e.dom], "level": e.k}
for name, rows in (("pool", opd.make_pool(256, ks=(2, 3, 4))), ("held_out", lab.evalset(160, ks=(2, 3, 4)))):
    with open(f"{sys.argv[2]}/{name}.jsonl", "w") as file:
        file.writelines(json.dumps(row(e)) + "\\n" for e in rows)
"""
# the prototype's weights as a model folder, and its own logits of some tokens; run by the peer's Python
CONVERT = """
import json, sys
sys.path.insert(0, sys.argv[1])
import torch, lab
from safetensors.torch import save_file
config, weights = torch.load(f"{sys.argv[1]}/{sys.argv[2]}", weights_only=False)
names = {"e.weight": "model.embed_tokens.weight", "nf": "model.norm.weight", "hd.weight": "lm_head.weight"}
found = {names[name]: value for name, value in weights.items() if name in names}
for i in range(config["L"]):
    at, to = f"b.{i}.", f"model.layers.{i}."
    found[to + "input_layernorm.weight"] = weights[at + "n1"]
    found[to + "post_attention_layernorm.weight"] = weights[at + "n2"]
    for side, part in zip("qkv", weights[at + "qkv.weight"].chunk(3)):
        found[to + f"self_attn.{side}_proj.weight"] = part
    found[to + "self_attn.o_proj.weight"] = weights[at + "o.weight"]
    gate, up = weights[at + "gu.weight"].chunk(2)
    found[to + "mlp.gate_proj.weight"], found[to + "mlp.up_proj.weight"] = gate, up
    found[to + "mlp.down_proj.weight"] = weights[at + "dn.weight"]
save_file({name: value.contiguous().clone() for name, value in found.items()}, f"{sys.argv[3]}/model.safetensors",
          metadata={"format": "pt"})
model = lab.LM(**config)
model.load_state_dict(weights)
ids = lab.enc(sys.argv[4])
with torch.no_grad():
    logits = model(torch.tensor([ids]))[0].log_softmax(-1)
said = [float(logits[t, ids[t + 1]]) for t in range(len(ids) - 1)]
print(json.dumps({"config": config, "tokens": lab.V, "letters": lab.CH, "said": said}))
"""
TEXT = "^m43*9-6>*9:87;-6=81\n"


def arguments():
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--limbeck", required=True, help="the bench `minilab`, built with --release")
    said.add_argument("--peer", required=True, help="a Python with torch and safetensors")
    said.add_argument("--prototype", required=True, help="its folder")
    said.add_argument("--rounds", type=int, default=5, help="seeds, from 1")
    said.add_argument("--method", action="append", choices=list(RECIPES))
    return said.parse_args()


def alone():
    return {**os.environ, "RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def output(command, **more):
    return subprocess.run(command, env=alone(), stdout=subprocess.PIPE, check=True, text=True, **more).stdout


def convert(args, weights, to):
    """One of the prototype's models as a folder of ours, and a look whether both say the same."""
    to.mkdir()
    said = json.loads(output([args.peer, "-c", CONVERT, args.prototype, weights, str(to), TEXT]))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TOKENIZER / name, to)
    config = json.loads((TOKENIZER / "config.json").read_text())
    own = said["config"]
    config |= {"hidden_size": own["d"], "num_hidden_layers": own["L"], "intermediate_size": own["ff"]}
    config |= {"num_attention_heads": own["h"], "num_key_value_heads": own["h"], "head_dim": own["d"] // own["h"]}
    config |= {"torch_dtype": "float32", "vocab_size": said["tokens"]}
    (to / "config.json").write_text(json.dumps(config))
    ours = json.loads(output([args.limbeck, "score", "--model", str(to), "--text", TEXT]))["logprobs"]
    worst = max(abs(a - b) for a, b in zip(ours, said["said"]))
    if len(ours) != len(said["said"]) or worst > 1e-4:
        sys.exit(f"{weights}: our log-probabilities differ from the prototype's by {worst}")


def ours(args, models, method, seed, work):
    """Seconds a step, and accuracy on held-out prompts by domain."""
    run, out = work / "run.ron", work / f"{method}-{seed}"
    run.write_text(RUN.format(recipe=RECIPES[method], seed=seed, models=models))
    output([args.limbeck, "train", str(run), "--out", str(out), "--quiet"])
    steps = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    after = json.loads((out / "after.json").read_text())["accuracy"]
    rates = {d: after[d]["right"] / (after[d]["right"] + after[d]["wrong"]) for d in ("math", "code")}
    # as the prototype counts: every step, and what is written down of it
    seconds = [step["step_time"] + step.get("log_time", 0.0) for step in steps]
    return statistics.mean(seconds), rates


def theirs(args, method, seed, work):
    out = work / f"{method}-{seed}.jsonl"
    job = {"name": method, "method": method, "lr": 6e-4, "steps": 60, "nprompt": 16, "seed": seed, "cosine": True}
    command = [args.peer, str(pathlib.Path(args.prototype).resolve() / "sweep.py"), str(out)]
    weights = [str(pathlib.Path(args.prototype).resolve() / f"{name}.pt") for name in ("start_gaps", "expert_math", "expert_code")]
    output([*command, *weights, "0", "1"], cwd=args.copy, input=json.dumps(job))
    said = json.loads(out.read_text())
    return said["tstep"], {"math": said["m"], "code": said["c"]}


def interval(values):
    """Half of a 95 % t-interval."""
    t = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}.get(len(values), 2.0)
    return t * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else float("nan")


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        # the prototype writes beside its weights
        args.copy = str(work / "prototype")
        shutil.copytree(args.prototype, args.copy)
        args.prototype = args.copy
        models = work / "models"
        models.mkdir()
        for name, weights in (("student", "start_gaps"), ("math", "expert_math"), ("code", "expert_code")):
            convert(args, f"{weights}.pt", models / name)
        output([args.peer, "-c", PROMPTS, args.prototype, str(models)])
        for method in args.method or RECIPES:
            rounds = []
            for seed in range(1, args.rounds + 1):
                print(f"{method}: seed {seed} of {args.rounds}", file=sys.stderr)
                rounds.append((ours(args, models, method, seed, work), theirs(args, method, seed, work)))
            ratios = [a[0] / b[0] for a, b in rounds]
            print(f"{method}: {statistics.median(ratios):.2f} of the prototype's seconds a step"
                  f" ({min(ratios):.2f} to {max(ratios):.2f})")
            for domain in ("math", "code"):
                for who, at in (("ours", 0), ("the prototype", 1)):
                    rates = [100 * found[at][1][domain] for found in rounds]
                    print(f"  {domain}, {who}: {statistics.mean(rates):.1f} ± {interval(rates):.1f} % right")


main()
