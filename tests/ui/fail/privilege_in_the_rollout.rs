//! A hint as the prompt of a rollout.
use limbeck::privileged::Privileged;
use limbeck::world::tokenizer::Tokenizer;

fn leak(hint: Privileged<String>, tokenizer: &Tokenizer) -> limbeck::Result<Vec<u32>> {
    tokenizer.encode(&hint)
}

fn main() {}
