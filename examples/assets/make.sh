#!/usr/bin/env bash
# Makes the starts and the two experts of the example runs again: about a quarter of an hour on two cores.
#
#   bash examples/assets/make.sh            # into runs/make, then into examples/assets
#
# Every model is trained by our own Sft and Grpo recipes on our own tasks, from random weights and fixed
# seeds; see examples/runs/make/*.ron for what each step teaches, and why.
set -euo pipefail
cd "$(dirname "$0")/../.."

. examples/assets/lessons.sh make

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

publish calibrate_math math
publish calibrate_code code
publish start start
publish start_hinted start_hinted

# the expert whose hint misleads it learns from the one just made
lesson skip_math math_skip
publish skip_math skip_math
