use limbeck::prelude::*;

/// OPCD: what a teacher does with a context becomes what the student does without it.
///
/// arXiv 2602.12275 (read in secondary sources only). A frozen teacher, as large as the student or
/// larger, reads `[c; x; y]`, where the context `c` is accumulated experience or an optimised system
/// prompt: the column `experience`. The student answers the plain prompt; the loss is
/// `mean_t KL(s(x, y_<t)‖q(c, x, y_<t))`, approximated on the top K tokens.
///
/// Ours are K = 128 (a smaller vocabulary as a whole), the student's top K with both sides renormalised
/// on it, groups of 8, and AdamW at 1e-6 with 5 warm-up steps. For `c` in front of the prompt, as in the
/// paper, say `privileged: System("\n\n")` in the run file.
#[recipe]
pub struct Opcd {
    #[teacher(reads = Experience)]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 8)]
    rollout: Sample,
    score: FullVocab,
    #[with(support = Support::Student, tail = Tail::Renormalise)]
    loss: ReverseKl<UpTo<128>>,
    #[with(lr = 1e-6, warmup = 5)]
    step: AdamW,
}
