use limbeck::prelude::*;

/// DOPD: a hinted teacher and the student's own hinted self; each token learns from one of them.
///
/// arXiv 2606.30626. Both read the privileged input; the student that learns sees the plain prompt.
/// A token's gap between the two, and how likely it is to them, decides (section 3): small gap, likely
/// (LH): reverse KL to the teacher, weight 0.6; small gap, unlikely (LL): to its own hindsight, 0.3;
/// large gap, the teacher surer (HT): Jensen-Shannon over the whole vocabulary, 1; large gap, itself
/// surer (HS): reverse KL to its hindsight, 0.6. Whole teacher rows are kept for HT alone (`keep`).
///
/// Constants are the paper's where it gives them: K = 128, 5 % trimmed from the averages, groups of 4,
/// AdamW at 5e-6 along a cosine. It leaves open whose top K (the student's, both sides renormalised),
/// the population of the averages (the batch), warm-up and weight decay: those are our choices.
#[recipe]
pub struct Dopd {
    #[teacher(reads = StepHints)]
    teacher: Frozen,
    #[teacher(reads = StepHints)]
    hindsight: Own,

    data: Prompts,
    #[with(group_size = 4)]
    rollout: Sample,
    #[with(keep = 128)]
    score: FullVocab,
    #[with(trim = 0.05)]
    route: AdvantageGap,
    #[with(light = 0.6, weak = 0.3)]
    loss: Routed<TopK<128>>,
    #[with(lr = 5e-6, schedule = Schedule::Cosine)]
    step: AdamW,
}
