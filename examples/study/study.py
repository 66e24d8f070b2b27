#!/usr/bin/env python3
"""The study of docs/study.md: methods x worlds x seeds, two runs at a time, one thread each.

    cargo build --release --bin limbeck
    python3 examples/study/study.py              # 175 runs of half a minute of one core; goes on where it was stopped
    python3 examples/study/study.py --table      # the tables, from what is there

Python's standard library is enough. Every run is one line in runs/study/results.jsonl.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "runs" / "study"
LIMBECK = os.environ.get("LIMBECK", str(ROOT / "target" / "release" / "limbeck"))
SEEDS = [1, 2, 3, 4, 5]
BASE = "VanillaOpd"

# who teaches in which world; the student's start is the same everywhere
WORLDS = {"honest": "math", "bent": "bent_math", "skipping": "skip_math", "needy": "needy_math"}
# recipes whose teacher is one seat, and those with a seat a domain
ONE_SEAT = ["HintedTeacher", "Dopd"]
BY_DOMAIN = ["VanillaOpd", "FullVocabOpd", "ExOpd", "UniOpd", "Eopd", "Tip"]
# no expert: these are the same run in every world
ALONE = ["Opsd", "Sdpo", "Grpo"]

RUN = """Run(
    recipe: "{recipe}",
    seed: {seed}, steps: 100, batch: 16,
    student: "{root}/examples/assets/start_hinted", teachers: {teachers},
    tasks: (domains: ["math"], levels: (2, 4), per_level: 512, seed: 3),
    privileged: Before(mark: ">", lead: "?"),
    set: (
        rollout: (group_size: 8, max_response_tokens: 32),
        step: (lr: 6e-4, beta2: 0.98, weight_decay: 0.01, warmup: 5, schedule: Cosine),
    ),
)
"""
LOOK = """Run(
    recipe: "Grpo", seed: 7, steps: 1, batch: 1, student: "{root}/examples/assets/start_hinted",
    tasks: (domains: ["math"], levels: (2, 4), per_level: 10),
    eval: (
        tasks: (domains: ["math"], levels: (2, 4), per_level: 160, seed: 7, split: HeldOut, hinted: {hinted}),
        samples: {samples}, temperature: {temperature},
    ),
    set: (rollout: (max_response_tokens: 32)),
)
"""


def limbeck(*words):
    """One command on one thread; its standard output."""
    env = {**os.environ, "RAYON_NUM_THREADS": "1"}
    done = subprocess.run([LIMBECK, *map(str, words)], env=env, text=True, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"limbeck {' '.join(map(str, words))}\n{done.stderr}")
    return done.stdout


def accuracy(model, hinted=0.0, greedy=False):
    """Percent right on the 480 held-out prompts: two samples each at temperature 1, or greedily."""
    name = WORK / f"look-{hinted}-{greedy}.ron"
    said = json.loads(limbeck("eval", name, "--model", model, "--json", "--quiet"))
    return 100 * said["accuracy"]["rows"][0]["cells"]["math"]["accuracy"]


def expert(name):
    """A model folder: one of the assets, or one made from them here."""
    shipped, made = ROOT / "examples" / "assets" / name, WORK / name
    if shipped.exists():
        return shipped
    if not made.exists():
        shutil.rmtree(WORK / f"run_{name}", ignore_errors=True)
        lesson = ROOT / "examples" / "runs" / "make" / f"{name}.ron"
        limbeck("train", lesson, "--out", WORK / f"run_{name}", "--quiet")
        limbeck("export", WORK / f"run_{name}", "--to", made, "--bf16")
    return made


def prepare():
    WORK.mkdir(parents=True, exist_ok=True)
    for hinted in (0.0, 1.0):
        for greedy in (False, True):
            text = LOOK.format(root=ROOT, hinted=hinted, samples=1 if greedy else 2, temperature=0.0 if greedy else 1.0)
            (WORK / f"look-{hinted}-{greedy}.ron").write_text(text)
    models = {world: expert(name) for world, name in WORLDS.items()}
    looked = WORK / "models.json"
    if not looked.exists():
        every = {"start": ROOT / "examples/assets/start_hinted", **models}
        known = {
            who: {"plain": accuracy(model), "greedy": accuracy(model, greedy=True), "hinted": accuracy(model, 1.0)}
            for who, model in every.items()
        }
        looked.write_text(json.dumps(known, indent=1))
    return models


def cases():
    """Every run, seed by seed, so that a study cut short is balanced."""
    for seed in SEEDS:
        for world in WORLDS:
            for recipe in BY_DOMAIN + ONE_SEAT:
                yield world, recipe, seed
        for recipe in ALONE:
            yield "alone", recipe, seed


def course(directory):
    """What the metrics say of the first and of the last eighth of the run."""
    lines = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    eighth = max(1, len(lines) // 8)
    found = {}
    for name in sorted({name for line in lines for name in line}):
        for when, some in (("first", lines[:eighth]), ("last", lines[-eighth:])):
            numbers = [line[name] for line in some if isinstance(line.get(name), (int, float))]
            if numbers:
                found.setdefault(name, {})[when] = statistics.fmean(numbers)
    return found


def one(case, models):
    world, recipe, seed = case
    directory = WORK / f"{world}-{recipe}-{seed}"
    if recipe in ALONE:
        teachers = "{}"
    elif recipe in ONE_SEAT:
        teachers = json.dumps({"teacher": str(models[world])})
    else:
        # nobody asks the code expert: all prompts are of one domain, which every recipe here can learn
        teachers = json.dumps({"math": str(models[world]), "code": str(ROOT / "examples/assets/code")})
    file = WORK / f"{world}-{recipe}-{seed}.ron"
    file.write_text(RUN.format(recipe=recipe, seed=seed, root=ROOT, teachers=teachers))
    shutil.rmtree(directory, ignore_errors=True)
    limbeck("train", file, "--out", directory, "--quiet", "--json")
    model = directory / "checkpoints" / "step-000100" / "student"
    result = {
        "world": world,
        "recipe": recipe,
        "seed": seed,
        "accuracy": accuracy(model),
        "greedy": accuracy(model, greedy=True),
        "course": course(directory),
    }
    shutil.rmtree(directory)
    return result


def results():
    file = WORK / "results.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def run(models, jobs):
    done = {(r["world"], r["recipe"], r["seed"]) for r in results()}
    todo = [case for case in cases() if case not in done]
    print(f"{len(done)} runs are there, {len(todo)} to do", file=sys.stderr)

    def try_one(case):
        try:
            return case, one(case, models)
        except Exception as why:  # a bad run is reported and does not stop the others
            return case, why

    with ThreadPoolExecutor(jobs) as pool, open(WORK / "results.jsonl", "a") as file:
        for number, (case, result) in enumerate(pool.map(try_one, todo), 1):
            if isinstance(result, Exception):
                print(f"{case}: {result}", file=sys.stderr)
                continue
            file.write(json.dumps(result) + "\n")
            file.flush()
            print(f"{number}/{len(todo)} {case}: {result['accuracy']:.1f}", file=sys.stderr)


def interval(numbers):
    """Mean and half width of its 95 % t-interval."""
    t = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
    mean = statistics.fmean(numbers)
    if len(numbers) < 2:
        return mean, math.nan
    return mean, t[len(numbers)] * statistics.stdev(numbers) / math.sqrt(len(numbers))


def shown(numbers, sign=False):
    mean, half = interval(numbers)
    return f"{mean:{'+' if sign else ''}.1f} ± {half:.1f}"


def moved(rows, name):
    """A metric in the first and in the last eighth, mean over seeds."""
    both = [row["course"][name] for row in rows if name in row["course"]]
    if not both:
        return "–"
    return " → ".join(f"{statistics.fmean(b[when] for b in both):.2f}" for when in ("first", "last"))


def table():
    rows = results()
    print("| model | plain | greedy | with its hint |\n|---|---|---|---|")
    for who, known in json.loads((WORK / "models.json").read_text()).items():
        print(f"| {who} | {known['plain']:.1f} | {known['greedy']:.1f} | {known['hinted']:.1f} |")
    for world in [*WORLDS, "alone"]:
        here = [row for row in rows if row["world"] == world]
        base = {r["seed"]: r for r in rows if r["recipe"] == BASE and r["world"] == ("honest" if world == "alone" else world)}
        print(f"\n### {world}\n\n| method | accuracy | Δ {BASE} | greedy | entropy | length | seeds |\n|---|---|---|---|---|---|---|")
        for recipe in sorted({r["recipe"] for r in here}, key=(BY_DOMAIN + ONE_SEAT + ALONE).index):
            mine = [r for r in here if r["recipe"] == recipe]
            pairs = [r["accuracy"] - base[r["seed"]]["accuracy"] for r in mine if r["seed"] in base]
            delta = "–" if recipe == BASE or not pairs else shown(pairs, sign=True)
            cells = [recipe, shown([r["accuracy"] for r in mine]), delta, shown([r["greedy"] for r in mine])]
            cells += [moved(mine, "entropy"), moved(mine, "response_length"), str(len(mine))]
            print("| " + " | ".join(cells) + " |")
        routed = [r for r in here if r["recipe"] == "Dopd"]
        if routed:
            shares = [f"{name} {moved(routed, 'regime/' + name)}" for name in ("LH", "LL", "HT", "HS")]
            print("\nDopd's regimes, first → last eighth of the run: " + ", ".join(shares) + ".")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="only print the tables")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    words = parser.parse_args()
    if not words.table:
        run(prepare(), words.jobs)
    table()
