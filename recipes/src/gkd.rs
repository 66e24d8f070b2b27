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
/// mean over each answer comes first, and AdamW at 1e-6 with 5 warm-up steps is ours. The loop's comments
/// speak of the student's own words; in the other batches they are the references'.
#[recipe]
pub struct Gkd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(on_policy = 0.5, group_size = 1, temperature = 0.9, max_response_tokens = 128)]
    rollout: Mixed,
    score: FullVocab,
    #[with(beta = 0.5)]
    loss: Jsd,
    #[with(lr = 1e-6, warmup = 5)]
    step: AdamW,
}
