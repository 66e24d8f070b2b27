// A domain is only a name.
use limbeck::Domain;

#[derive(Clone, Copy, Domain)]
pub enum Subject {
    Math,
    Code(u32),
}

fn main() {}
