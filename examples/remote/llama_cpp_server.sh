#!/usr/bin/env bash
# A real teacher behind a real server: starts `llama-cpp-python` with a GGUF file, and looks at it, refuses it where it
# is one row off, and trains one step against it. No test runs this: building the server takes ten minutes.
#
#   pip install "llama-cpp-python[server]"
#   examples/remote/llama_cpp_server.sh MODEL.gguf STUDENT_FOLDER
#
# STUDENT_FOLDER is a model folder with the tokenizer of MODEL.gguf and `bos_token_id` in its config.json: the same
# model, say. PYTHON, PORT and LIMBECK name other programs than python3, 8642 and `cargo run`.
set -euo pipefail

gguf=$(realpath "$1")
student=$(realpath "$2")
port=${PORT:-8642}
cd "$(dirname "$0")/../.."
limbeck=${LIMBECK:-cargo run --quiet --release --example 07_remote_teacher --}
folder=$(mktemp -d)

"${PYTHON:-python3}" -m llama_cpp.server --model "$gguf" --logits_all true --n_ctx 512 \
    --host 127.0.0.1 --port "$port" >"$folder/server.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT

cat >"$folder/prompts.jsonl" <<'ROWS'
{"prompt": "The capital of France is"}
{"prompt": "Question: What is 17 + 25?\nAnswer:"}
{"prompt": "Once upon a time there was a little"}
{"prompt": "def fibonacci(n):\n"}
ROWS

run() {
    cat >"$folder/$1.ron" <<RUN
Run(
    recipe: "FromServer", seed: 1, steps: 1, batch: 2, student: "$student", data: "prompts.jsonl",
    servers: {"teacher": (
        urls: ["http://127.0.0.1:$port"], speaks: LlamaCpp, ready_within: 120, timeout: 120, in_flight: 1,
        prepend_bos: $2,
    )},
    set: (rollout: (temperature: 0.7, max_response_tokens: 8)),
)
RUN
}

run late false
run right true

echo "== a server that is one row off is refused"
if said=$($limbeck check "$folder/late.ron" 2>&1); then
    echo "$said"
    echo "it was not refused: this server is right without a beginning-of-text token"
else
    echo "$said"
    grep -q "shifted by one row" <<<"$said"
fi

echo "== with the beginning-of-text token it is right"
$limbeck check "$folder/right.ron"
$limbeck train "$folder/right.ron" --out "$folder/run"
tail -n 1 "$folder/run/metrics.jsonl"
