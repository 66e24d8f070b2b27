"""How much faster two threads are than one: whole processes in turn.

    python3 runtime/benches/threads.py --limbeck target/release/limbeck --model models/smollm2-135m-instruct

That the bits are the same on any number of threads is tested and not timed.
"""
import argparse
import json
import os
import statistics
import subprocess


def main():
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--limbeck", default="target/release/limbeck", help="our binary, built with --release")
    said.add_argument("--model", help="a model folder; without one only the small decoder is measured")
    said.add_argument("--rounds", type=int, default=5)
    args = said.parse_args()
    pieces = {"decoder": ["decoder", "--repeats", "7"]}
    if args.model:
        pieces["step"] = ["step", args.model, "--steps", "3"]
    for piece, words in pieces.items():
        rounds = [[measure(args.limbeck, words, threads) for threads in ("1", "2")] for _ in range(args.rounds)]
        for series, told in rounds[0][0].items():
            better = -1 if told["unit"].endswith("/s") else 1
            ratios = [(one[series]["median"] / two[series]["median"]) ** better for one, two in rounds]
            span = f"{min(ratios):.2f} to {max(ratios):.2f}"
            print(f"{piece}, {series}: {statistics.median(ratios):.2f} times as fast on two threads ({span})")


def measure(limbeck, words, threads):
    env = {**os.environ, "RAYON_NUM_THREADS": threads}
    done = subprocess.run([limbeck, "bench", *words, "--json"], env=env, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["series"]


main()
