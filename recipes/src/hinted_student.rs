use limbeck::prelude::*;

/// The student's own hinted self, and every token treated alike: what DOPD warns of.
///
/// The "privilege to the student only" variant of DOPD's figure 3 (arXiv 2606.30626): the student itself
/// reads the hints, and the Jensen-Shannon divergence pulls every token of its plain answers to what it
/// then says. Constants are `Dopd`'s, so that only voices and routing differ.
///
/// The figure could also mean that the student sees the hints while it trains. That cannot be said here:
/// no hint reaches a rollout or the traced forward pass, and a student trained on hints would be another
/// than the one that is used. That the hinted student is the target is our inference.
#[recipe]
pub struct HintedStudent {
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    #[with(group_size = 4)]
    rollout: Sample,
    score: FullVocab,
    #[with(beta = 0.5)]
    loss: Jsd,
    #[with(lr = 5e-6, schedule = Schedule::Cosine)]
    step: AdamW,
}
