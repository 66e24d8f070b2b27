"""What deciding costs: the share of a step that goes into balance, calibration, routing and the log.

    python3 runtime/benches/shares.py --limbeck target/release/limbeck

The models of the example runs are small, so that these shares are larger here than anywhere; the first step of a run is
not counted, and no look at held-out prompts is taken.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# a run file and the stages that decide in it
RUNS = {"quickstart": ("balance", "calibrate", "log"), "dopd": ("route", "log")}


def main():
    said = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    said.add_argument("--limbeck", default=str(ROOT / "target/release/limbeck"), help="our binary, built with --release")
    said.add_argument("--steps", type=int, default=20)
    args = said.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for run, stages in RUNS.items():
            out = pathlib.Path(folder) / run
            command = [args.limbeck, "train", str(ROOT / f"examples/runs/{run}.ron"), "--out", str(out), "--quiet"]
            command += ["--set", f"steps={args.steps}", "--set", "save_every=0"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()][1:]
            recipe = re.search(r'recipe: "(\w+)"', (out / "run.ron").read_text())[1]
            whole = [line["step_time"] + line["log_time"] for line in lines]
            parts = {s: [line.get(f"{s}_time", 0.0) / all_ for line, all_ in zip(lines, whole)] for s in stages}
            told = ", ".join(f"{name} {100 * statistics.median(part):.2f} %" for name, part in parts.items())
            together = statistics.median(map(sum, zip(*parts.values())))
            print(f"{recipe}: {told}; together {100 * together:.2f} % of a step")


main()
