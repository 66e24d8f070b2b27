#!/usr/bin/env bash
# Makes the start with eyes, the expert of scenes, and the expert of code that reads the same tokens: about half an hour
# on two cores.
#
#   bash examples/assets/make_scenes.sh     # into runs/make_scenes, then into examples/assets
#
# Every model is trained by our own Sft recipe on our own scenes and tasks, from random weights and fixed seeds; see
# examples/runs/make_scenes/*.ron for what each step teaches, and why. The expert of code is the one of make.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."

. examples/assets/lessons.sh make_scenes

"$limbeck" init --to "$work/expert_fresh" --image 32 --patch 4 --eye-hidden 64 \
    --hidden 128 --layers 4 --heads 4 --ffn 344 --context 224 --seed 1
"$limbeck" init --to "$work/student_fresh" --image 32 --patch 4 --eye-hidden 64 \
    --hidden 96 --layers 2 --heads 4 --ffn 256 --context 224 --seed 2

lesson glance expert_glancing
lesson look expert_looking
lesson expert expert_taught
lesson deepen expert_deepened
lesson calibrate scene
lesson glance_student student_glancing
lesson look_student student_looking
lesson student student_taught
lesson start scene_start

publish calibrate scene
publish start scene_start

# the expert of code, with the tokens of scenes after its own: new weights where it never reads
rm -rf examples/assets/code_wide
"$limbeck" graft --decoder examples/assets/code --tokenizer examples/assets/scene_start/tokenizer.json \
    --to examples/assets/code_wide --bf16
