"""Limbeck against its peers: whole processes, ours and theirs in turn, medians and ratios.

    python3 runtime/benches/compare.py --peer PYTHON --model models/smollm2-135m-instruct

PYTHON is a Python with torch, transformers, datasets and trl. Run it with nothing else running. A ratio is our
time over theirs (their rate over ours), so below 1 we are faster; for memory, ours over theirs.
"""
import argparse
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys

import minilab

HERE = pathlib.Path(__file__).resolve().parent


def arguments():
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--limbeck", default="target/release/limbeck", help="our binary, built with --release")
    said.add_argument("--peer", required=True, help="the Python that has the peers")
    said.add_argument("--model", help="a model folder; without one only the small decoder is compared")
    said.add_argument("--rounds", type=int, default=5, help="processes of each, in turn")
    said.add_argument("--threads", type=int, default=2)
    said.add_argument("--only", action="append", help="decoder-2048, decoder-8192, rollout, step, minilab; again for more")
    said.add_argument("--minilab", metavar="FOLDER", help="the prototype of a small study: minilab.py says what is in it")
    said.add_argument("--study", metavar="BINARY", help="the bench `minilab`; else the newest that is built here")
    said.add_argument("--under", default="", help="a command that each process is run under")
    said.add_argument("--json", action="store_true")
    said.add_argument("--into", help="a page whose table, between its two comments, is written anew")
    return said.parse_args()


def pieces(model):
    """Name, our arguments, the peer's script and its arguments."""
    found = {f"decoder-{v}": (["decoder", "--vocabulary", v, "--repeats", "7"], ["decoder.py", v, "7"])
             for v in ("2048", "8192")}
    if model:
        ours = ["rollout", model, "--rows", "8", "--new", "64", "--repeats", "3"]
        found["rollout"] = (ours, ["rollout.py", model, "8", "64", "3"])
        ours = ["step", model, "--rows", "8", "--new", "32", "--steps", "4"]
        found["step"] = (ours, ["step.py", model, "8", "32", "4"])
    return found


def run(command, args):
    env = {**os.environ, "RAYON_NUM_THREADS": str(args.threads), "THREADS": str(args.threads)}
    env |= {"OMP_NUM_THREADS": str(args.threads), "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(shlex.split(args.under) + command, env=env, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.decode().strip().splitlines()[-1])


def compare(name, ours, theirs, args):
    rounds = []
    for at in range(args.rounds):
        print(f"{name}: {at + 1} of {args.rounds}", file=sys.stderr)
        peer = [args.peer, str(HERE / "peers" / theirs[0]), *theirs[1:]]
        rounds.append((run([args.limbeck, "bench", *ours, "--json"], args), run(peer, args)))
    facts = [{k: said[k] for k in said if k not in ("series", "peak_memory_mb")} for said in rounds[0]]
    prompts = [said.get("prompt_tokens") for said in rounds[0]]
    if prompts[0] != prompts[1]:
        sys.exit(f"{name}: our prompt has {prompts[0]} tokens and the peer's {prompts[1]}")
    rows = []
    for series in rounds[0][1]["series"]:
        # a peer may do one thing of ours in two ways
        names = (series.removesuffix(", generate"), series)
        unit = rounds[0][1]["series"][series]["unit"]
        values = [[said[who]["series"][names[who]]["median"] for said in rounds] for who in (0, 1)]
        rows.append(row(name, series, unit, values))
    memory = [[said[who]["peak_memory_mb"] for said in rounds] for who in (0, 1)]
    if None not in memory[0]:
        rows.append(row(name, "peak memory", "MB", memory))
    return rows, facts


def row(piece, what, unit, values):
    """A ratio of each round; their median, the lowest and the highest."""
    ratios = [b / a if unit.endswith("/s") else a / b for a, b in zip(*values)]
    return {
        "piece": piece, "what": what, "unit": unit,
        "ours": statistics.median(values[0]), "peer": statistics.median(values[1]),
        "ratio": statistics.median(ratios), "lowest": min(ratios), "highest": max(ratios),
    }


def table(rows):
    """As Markdown, ratios alone: absolute times are this machine's."""
    lines = ["| piece | what | ours / peer | lowest to highest |", "|---|---|---|---|"]
    for r in rows:
        span = f"{r['lowest']:.2f} to {r['highest']:.2f}"
        lines.append(f"| {r['piece']} | {r['what']} | {r['ratio']:.2f} | {span} |")
    return "\n".join(lines)


def study(args):
    """A small study and its prototype; what both have learnt is a fact and no ratio."""
    found = minilab.study(args.study or minilab.built(), args.peer, args.minilab, args.rounds)
    rows = [row("minilab", f"{method}, a step", "s", said["seconds"]) for method, said in found.items()]
    return rows, found


def write_into(page, text):
    page = pathlib.Path(page)
    begin, end = "<!-- ratios: compare.py writes this -->", "<!-- end of ratios -->"
    before, rest = page.read_text().split(begin)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")


def main():
    args = arguments()
    rows, facts = [], {}
    for name, (ours, theirs) in pieces(args.model).items():
        if args.only and name not in args.only:
            continue
        found, facts[name] = compare(name, ours, theirs, args)
        rows += found
    learnt = {}
    if args.minilab and (not args.only or "minilab" in args.only):
        found, learnt = study(args)
        facts["minilab"] = {method: {domain: dict(zip(("ours", "peer"), both)) for domain, both in said["right"].items()}
                            for method, said in learnt.items()}
        rows += found
    if not rows:
        sys.exit("nothing is compared: --only names no piece that there is, or one that needs --model or --minilab")
    if args.json:
        print(json.dumps({"rounds": args.rounds, "facts": facts, "rows": rows}, indent=1))
    else:
        wide = max(len(f"{r['piece']} {r['what']}") for r in rows)
        for r in rows:
            name = f"{r['piece']} {r['what']}".ljust(wide)
            print(f"{name}  {r['ours']:10.2f} {r['peer']:10.2f} {r['unit']:9} ratio {r['ratio']:.2f}"
                  f" ({r['lowest']:.2f} to {r['highest']:.2f})")
        for line in minilab.told(learnt):
            print(line)
    if args.into:
        write_into(args.into, table(rows))


main()
