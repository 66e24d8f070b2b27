// Boxes among what the student reads.
use limbeck::models::Before;
use limbeck::privileged::Privileged;
use limbeck::world::tokenizer::Tokenizer;

fn leak(tokenizer: &Tokenizer, boxes: &Privileged<String>) -> limbeck::Result<Vec<u32>> {
    let tokens = tokenizer.encode(boxes)?;
    Ok(Before { tokens: &tokens, sights: &[] }.tokens.to_vec())
}

fn main() {}
