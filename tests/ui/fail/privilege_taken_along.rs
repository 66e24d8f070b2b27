//! A hint carried out of the closure that maps it.
use limbeck::privileged::Privileged;

fn leak(hint: Privileged<String>) -> String {
    let mut out = String::new();
    hint.map(|text| out = text);
    out
}

fn main() {}
