use limbeck::prelude::*;

use crate::Dopd;

/// DOPD whose teacher and hindsight read the answer in place of hints.
///
/// arXiv 2606.30626, form of the privileged input (C-Eval / LiveBench): 59.5 / 36.7 against 71.3 / 49.8 for
/// hints. A run chooses where the text stands (`privileged`).
#[recipe(base = Dopd)]
pub struct AnswerForHints {
    #[teacher(reads = ReferenceAnswer)]
    teacher: _,
    #[teacher(reads = ReferenceAnswer)]
    hindsight: _,
}
