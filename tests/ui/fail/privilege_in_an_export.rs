//! A hint in a file.
use limbeck::privileged::Privileged;

fn leak(hint: Privileged<String>) -> std::io::Result<()> {
    std::fs::write("hint.txt", hint)
}

fn main() {}
