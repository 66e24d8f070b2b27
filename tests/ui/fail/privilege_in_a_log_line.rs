//! A hint in a log line.
use limbeck::privileged::Privileged;

fn leak(hint: Privileged<String>) {
    println!("the prompt was {hint}");
}

fn main() {}
