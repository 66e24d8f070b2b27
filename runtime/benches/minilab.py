"""A small study run beside the prototype it was first tried in: seconds a step, and what was learnt.

    cargo build --release -p limbeck --bench minilab
    python3 runtime/benches/minilab.py --peer PYTHON --prototype FOLDER

FOLDER holds the prototype (lab.py, opd.py, sweep.py) and its weights (start_gaps.pt, expert_math.pt, expert_code.pt).
PYTHON has torch and safetensors. Both start from these weights: a student of 0.23 million parameters, two experts of 0.8
million, 16 prompts and 8 answers to each, 60 steps, one thread each, runs of the two in turn. `compare.py --minilab
FOLDER` runs it as one of its pieces.
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
RECIPES = {"vanilla": "Vanilla", "dopd": "ExpertsOrSelf"}
DOMAINS = {"math": "m", "code": "c"}
RUN = """Run(
    recipe: "{recipe}", seed: {seed}, steps: {steps}, batch: 16,
    student: "{models}/student", teachers: {{"math": "{models}/math", "code": "{models}/code"}},
    data: "{models}/pool.jsonl",
    verifiers: {{"math": Pattern("^[^=]*={{answer}}$"), "code": Pattern("^[^=]*={{answer}}$")}},
    eval: (data: "{models}/held_out.jsonl", samples: 2),
)
"""


def arguments():
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--limbeck", help="the bench `minilab`, built with --release; else the newest that is built here")
    said.add_argument("--peer", required=True, help="a Python with torch and safetensors")
    said.add_argument("--prototype", required=True, help="its folder")
    said.add_argument("--rounds", type=int, default=5, help="seeds, from 1")
    said.add_argument("--steps", type=int, default=60)
    said.add_argument("--method", action="append", choices=list(RECIPES))
    return said.parse_args()


def built():
    """The bench `minilab` as cargo has built it last."""
    found = [path for path in pathlib.Path("target/release/deps").glob("minilab-*") if not path.suffix]
    if not found:
        sys.exit("cargo build --release -p limbeck --bench minilab comes first")
    return str(max(found, key=lambda path: path.stat().st_mtime))


def output(command, **more):
    env = {**os.environ, "RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, text=True, **more).stdout


def same_words(limbeck, folder, asked):
    """Stops unless a converted model says what the prototype's own says."""
    for one in asked:
        ours = json.loads(output([limbeck, "score", "--model", str(folder), "--text", one["text"]]))["logprobs"]
        worst = max(abs(a - b) for a, b in zip(ours, one["logprobs"]))
        if len(ours) != len(one["logprobs"]) or not worst <= 1e-4:
            sys.exit(f"{folder.name}: our log-probabilities of {one['text']!r} differ from the prototype's by {worst}")


def ours(limbeck, models, method, seed, steps, work):
    """Seconds of every step, and accuracy on held-out prompts by domain."""
    run, out = work / "run.ron", work / f"{method}-{seed}"
    run.write_text(RUN.format(recipe=RECIPES[method], seed=seed, steps=steps, models=models))
    output([limbeck, "train", str(run), "--out", str(out), "--quiet"])
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    after = json.loads((out / "after.json").read_text())["accuracy"]
    rates = {d: after[d]["right"] / (after[d]["right"] + after[d]["wrong"]) for d in DOMAINS}
    # as the prototype counts: every step, and what is written down of it
    return statistics.mean(line["step_time"] + line.get("log_time", 0.0) for line in lines), rates


def theirs(peer, prototype, method, seed, steps, work):
    out = work / f"{method}-{seed}.jsonl"
    job = {"name": method, "method": method, "lr": 6e-4, "steps": steps, "nprompt": 16, "seed": seed, "cosine": True}
    weights = ["start_gaps.pt", "expert_math.pt", "expert_code.pt"]
    output([peer, "sweep.py", str(out), *weights, "0", "1"], cwd=prototype, input=json.dumps(job))
    said = json.loads(out.read_text())
    return said["tstep"], {domain: said[letter] for domain, letter in DOMAINS.items()}


def study(limbeck, peer, prototype, rounds, steps=60, methods=tuple(RECIPES)):
    """What was found of each method: seconds a step, and the shares of held-out answers that are right, by domain; ours
    and the prototype's, a value a seed."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        # the prototype writes beside its weights
        prototype, models = shutil.copytree(prototype, work / "prototype"), work / "models"
        models.mkdir()
        said = json.loads(output([peer, str(HERE / "peers/minilab.py"), str(prototype), str(models)]))
        for name, asked in said.items():
            same_words(limbeck, models / name, asked)
        for method in methods:
            runs = []
            for seed in range(1, rounds + 1):
                print(f"minilab, {method}: seed {seed} of {rounds}", file=sys.stderr)
                own = ours(limbeck, models, method, seed, steps, work)
                runs.append((own, theirs(peer, prototype, method, seed, steps, work)))
            right = {d: [[run[who][1][d] for run in runs] for who in (0, 1)] for d in DOMAINS}
            found[method] = {"seconds": [[run[who][0] for run in runs] for who in (0, 1)], "right": right}
    return found


def told(found):
    """What was learnt, a line a method, domain and side: the mean, and half of its 95 % t-interval."""
    lines = []
    for method, all_ in found.items():
        for domain, both in all_["right"].items():
            for who, rates in zip(("ours", "the prototype"), both):
                spread = f" ± {100 * interval(rates):.1f}" if len(rates) > 1 else ""
                lines.append(f"{method}, {domain}, {who}: {100 * statistics.mean(rates):.1f}{spread} % right")
    return lines


def interval(values):
    t = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}.get(len(values), 2.0)
    return t * statistics.stdev(values) / math.sqrt(len(values))


def main():
    args = arguments()
    methods = args.method or list(RECIPES)
    found = study(args.limbeck or built(), args.peer, args.prototype, args.rounds, args.steps, methods)
    for method, all_ in found.items():
        ratios = [a / b for a, b in zip(*all_["seconds"])]
        print(f"{method}: {statistics.median(ratios):.2f} of the prototype's seconds a step"
              f" ({min(ratios):.2f} to {max(ratios):.2f})")
    print("\n".join(told(found)))


if __name__ == "__main__":
    main()
