use limbeck::prelude::*;

use crate::Dopd;

/// DOPD whose teacher and hindsight read the answer in place of hints.
///
/// arXiv 2606.30626, form of the privileged input (C-Eval / LiveBench): 59.5 / 36.7 against 71.3 / 49.8 for
/// hints, with the bare answer: where a row has a worked `reference`, this reads that. A run chooses where the text
/// stands (`privileged`). The table's other forms, hints with an execution and hints with a summary, are columns of the
/// data under the name `hints` here, and not recipes.
#[recipe(base = Dopd)]
pub struct AnswerForHints {
    #[teacher(reads = ReferenceAnswer)]
    teacher: _,
    #[teacher(reads = ReferenceAnswer)]
    hindsight: _,
}

/// DOPD without any privileged input: teacher and hindsight read the prompt, as the student does.
///
/// arXiv 2606.30626, components (C-Eval / LiveBench): 63.6 / 38.3 against 71.3 / 49.8; its table of forms gives
/// 63.0 / 39.4 for the same. The hindsight is then the student itself, so LL and HS tokens pull it nowhere.
#[recipe(base = Dopd)]
pub struct NoPrivilege {
    #[teacher(reads = NoHints)]
    teacher: _,
    #[teacher(reads = NoHints)]
    hindsight: _,
}
