use limbeck::prelude::*;

/// A hinted teacher and the student's own hinted self, and every token treated alike: what DOPD warns of.
///
/// The "privilege to both" variant of DOPD's figure 3 (arXiv 2606.30626), with `Dopd`'s two voices and
/// constants and without its routing: each token learns half from either, by the Jensen-Shannon
/// divergence over the whole vocabulary, with the same weight everywhere. The halves are our inference;
/// the paper says "uniform". As in `HintedStudent`, the student that learns sees the plain prompt.
#[recipe]
pub struct HintedBoth {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    #[with(group_size = 4)]
    rollout: Sample,
    score: FullVocab,
    #[with(teacher_share = 0.5, beta = 0.5)]
    loss: JsdToBoth,
    #[with(lr = 5e-6, schedule = Schedule::Cosine)]
    step: AdamW,
}
