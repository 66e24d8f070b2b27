use limbeck::prelude::*;

/// VA-OPD: a response and its tokens count by how much the teacher needs the image to believe them.
///
/// arXiv 2605.21924. The teacher reads the answer twice, after the prompt and after a poorer view of it;
/// `VA = max(0, log q_orig − log q_pix)`. The answers to a prompt weigh by the softmax of their standardised
/// mean `VA` (population deviation, ε = 1e-6); in an answer, the top fifth of the tokens has half of the
/// weight. The loss is the reverse KL over the whole vocabulary to the teacher's first reading, weighted,
/// and averaged over prompts: the weights of one prompt sum to 1.
///
/// From the authors' objective, without their release. The poorer view is the prompt's images in 4 squares of one colour to
/// the longer side, which is our choice; of a prompt without images it is text, the column `pixelated`. Both seats are given the same
/// model folder. A recording calls the second reading `hinted_teacher`. The other constants are
/// `FullVocabOpd`'s.
#[recipe]
pub struct VaOpd {
    #[teacher]
    teacher: Frozen,
    #[teacher(reads = Pixelated)]
    pixelated: Frozen,

    data: Prompts,
    #[with(group_size = 16, temperature = 1.0)]
    rollout: Sample,
    score: BothViews,
    #[with(share = 0.2, mass = 0.5)]
    route: ByVisualAdvantage,
    loss: ReverseKl,
    #[with(lr = 1e-6, beta2 = 0.98, weight_decay = 0.1, warmup = 5)]
    step: AdamW,
}
