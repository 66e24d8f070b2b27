use limbeck::prelude::*;

/// OPSD: the student learns from itself, as it was at the start and shown what it may not see.
///
/// arXiv 2601.18734: the teacher is the student at step 0 with privileged text in its prompt; over the
/// student's own answers, the generalised Jensen-Shannon divergence with β = ½ on the whole vocabulary.
/// Rollouts at temperature 1.1, top-p 0.95, top-k 20, as in the release. Where we differ: it reads
/// step hints where the paper shows the whole reference solution with a sentence that asks for a
/// restatement, the mean over each answer comes first (the release sums over tokens), all weights are
/// trained (the release trains LoRA at 2e-4), and the learning rate is 1e-6 accordingly.
#[recipe]
pub struct Opsd {
    #[teacher(reads = StepHints)]
    teacher: Start,

    data: Prompts,
    #[with(group_size = 8, temperature = 1.1, top_p = 0.95, top_k = 20)]
    rollout: Sample,
    score: FullVocab,
    #[with(beta = 0.5)]
    loss: Jsd,
    #[with(lr = 1e-6, warmup = 5)]
    step: AdamW,
}
