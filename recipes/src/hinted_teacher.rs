use limbeck::prelude::*;

/// A hinted teacher, and every token treated alike: what DOPD warns of.
///
/// The "privilege to the teacher only" variant of DOPD's figure 3 (arXiv 2606.30626): the teacher reads
/// the hints, the student does not, and the Jensen-Shannon divergence pulls every token the same way.
/// Constants are `Dopd`'s, so that only the routing differs.
#[recipe]
pub struct HintedTeacher {
    #[teacher(reads = StepHints)]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 4)]
    rollout: Sample,
    score: FullVocab,
    #[with(beta = 0.5)]
    loss: Jsd,
    #[with(lr = 5e-6, schedule = Schedule::Cosine)]
    step: AdamW,
}
