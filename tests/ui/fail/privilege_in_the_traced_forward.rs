//! A hint among the tokens of the student's traced forward.
use limbeck::models::Packed;
use limbeck::privileged::Privileged;

fn leak(hint: Privileged<Vec<u32>>, response: &[u32]) -> Packed {
    Packed::of([(hint.as_slice(), response)])
}

fn main() {}
