use limbeck::prelude::*;

/// GKD: some batches are the student's own answers, the others are references.
///
/// arXiv 2306.13649, algorithm 1. With probability λ a batch is the student's own, else the reference
/// answers of the data are read; either way the generalised Jensen-Shannon divergence over the whole
/// vocabulary pulls the student to one teacher at every token. λ = 1 is on-policy distillation, λ = 0
/// with the references supervised distillation; `rollout.off_policy = Teacher` takes the teacher's own
/// answers instead (TRL's `seq_kd`).
///
/// λ = ½, β = ½, temperature 0.9 and answers of up to 128 tokens are TRL's defaults. Where we differ: the
/// mean over each answer comes first, and AdamW at 1e-6 with 5 warm-up steps is ours.
#[recipe]
pub struct Gkd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    /// in some batches the student answers in its own words, in the others the references are read
    #[with(on_policy = 0.5, group_size = 1, temperature = 0.9, max_response_tokens = 128)]
    rollout: Mixed,
    /// teacher reads these tokens, no gradient
    score: FullVocab,
    /// student against teacher, on these tokens
    #[with(beta = 0.5)]
    loss: Jsd,
    #[with(lr = 1e-6, warmup = 5)]
    step: AdamW,
}
