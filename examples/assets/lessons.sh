# What make.sh and make_scenes.sh do alike; they source it with the name of their folder of run files.

# another binary can be named: LIMBECK=…/limbeck bash examples/assets/make.sh
limbeck=${LIMBECK:-target/release/limbeck}
[ -n "${LIMBECK:-}" ] || cargo build --release --bin limbeck
work=runs/$1
files=examples/runs/$1
rm -rf "$work"
mkdir -p "$work"

# trains as one run file says, and leaves its student where the next one looks for it
lesson() { # run file, model folder to write
    "$limbeck" train "$files/$1.ron" --out "$work/run_$1"
    "$limbeck" export "$work/run_$1" --to "$work/$2"
}

# puts a lesson's student among the models of the examples: 16 bits are enough, and keep each folder under 2 MB
publish() { # run file, folder of examples/assets
    rm -rf "examples/assets/$2"
    "$limbeck" export "$work/run_$1" --to "examples/assets/$2" --bf16
    rm "examples/assets/$2/README.md" # its card is for who publishes it elsewhere
}
