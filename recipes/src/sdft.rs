use limbeck::prelude::*;

/// SDFT: the student learns from itself, shown a demonstration.
///
/// arXiv 2601.19897. The teacher is the same model with a demonstration in its prompt, here the row's
/// reference answer; the student answers the plain prompt, and `KL(s(x)‖q(x, c))` over the whole
/// vocabulary pulls it to the teacher at every token of its answer.
///
/// The teacher's weights are a running mean of the student's: public reimplementations agree on that and
/// on a rate of 0.01 after each step (secondary). So are one answer a prompt and AdamW at 2e-5 along a
/// cosine. TRL also offers the student at the start (`Start`) and the student itself (`Own`).
///
/// Where we differ: the paper's reverse KL, where the released trainer is reported to take the forward KL
/// by default; the release leaves the first 3 tokens of an answer out of the loss and warms the rate up
/// over a tenth of the steps; here every token counts, and warm-up is a number of steps for you to set.
#[recipe]
pub struct Sdft {
    #[teacher(reads = ReferenceAnswer)]
    #[with(rate = 0.01)]
    teacher: Ema,

    data: Prompts,
    #[with(group_size = 1)]
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl,
    #[with(lr = 2e-5, schedule = Schedule::Cosine)]
    step: AdamW,
}
