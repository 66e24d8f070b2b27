//! A hint in what is written beside an exported model.
use limbeck::privileged::Privileged;

struct ModelCard {
    text: String,
}

fn leak(hint: Privileged<String>) -> ModelCard {
    ModelCard { text: hint }
}

fn main() {}
