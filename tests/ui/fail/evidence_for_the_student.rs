// What lies in the box of evidence, shown to the student.
use std::sync::Arc;

use limbeck::models::{Picture, Sight};
use limbeck::privileged::Privileged;

fn leak(evidence: Privileged<Arc<Picture>>) -> Sight {
    Sight { picture: evidence, at: 1 }
}

fn main() {}
