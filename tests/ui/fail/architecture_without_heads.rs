// An architecture of one's own, and its heads are forgotten.
limbeck::architecture! {
    pub Small: vocabulary Sums = 39, hidden 16, layers 1
}

fn main() {}
