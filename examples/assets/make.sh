#!/usr/bin/env bash
# Makes the starts and the two experts of the example runs again: about a quarter of an hour on two cores.
#
#   bash examples/assets/make.sh            # into runs/make, then into examples/assets
#
# Every model is trained by our own Sft and Grpo recipes on our own tasks, from random weights and fixed
# seeds; see examples/runs/make/*.ron for what each step teaches, and why.
set -euo pipefail
cd "$(dirname "$0")/../.."

# another binary can be named: LIMBECK=…/limbeck bash examples/assets/make.sh
limbeck=${LIMBECK:-target/release/limbeck}
[ -n "${LIMBECK:-}" ] || cargo build --release --bin limbeck
work=runs/make
files=examples/runs/make
rm -rf "$work"
mkdir -p "$work"

# trains as one run file says, and leaves its student where the next one looks for it
lesson() { # run file, model folder to write
    "$limbeck" train "$files/$1.ron" --out "$work/run_$1"
    "$limbeck" export "$work/run_$1" --to "$work/$2"
}

"$limbeck" init --to "$work/expert_fresh" --hidden 128 --layers 4 --heads 4 --ffn 344 --context 96 --seed 1
"$limbeck" init --to "$work/student_fresh" --hidden 96 --layers 2 --heads 4 --ffn 256 --context 96 --seed 2

lesson expert_math math_taught
lesson polish_math math_polished
lesson calibrate_math math_expert
lesson expert_code code_taught # right every time by now: nothing to polish
lesson calibrate_code code_expert
lesson student student_taught
lesson start student_start
lesson start_hinted student_start_hinted

# 16 bits are enough, and keep each folder under 2 MB
for pair in calibrate_math:math calibrate_code:code start:start start_hinted:start_hinted; do
    rm -rf "examples/assets/${pair#*:}"
    "$limbeck" export "$work/run_${pair%:*}" --to "examples/assets/${pair#*:}" --bf16
done

# the expert whose hint misleads it learns from the one just made
lesson skip_math math_skip
rm -rf examples/assets/skip_math
"$limbeck" export "$work/run_skip_math" --to examples/assets/skip_math --bf16
