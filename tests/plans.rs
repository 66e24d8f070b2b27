//! The plan of every recipe, defaults included: what runs when nothing else is said.

use limbeck::assert_plan_snapshot;
use limbeck_recipes::*;

macro_rules! plans {
    ($($test:ident: $recipe:ty,)*) => {
        $(
            #[test]
            fn $test() {
                assert_plan_snapshot!($recipe);
            }
        )*
    };
}

plans! {
    vanilla_opd: VanillaOpd,
    vanilla_opd_single: VanillaOpdSingle,
    uni_opd: UniOpd,
    uni_opd_single: UniOpdSingle,
    uni_opd_greedy_mask: UniOpdGreedyMask,
    uni_opd_cross_modal: UniOpdCrossModal,
    uni_opd_strong_to_weak: UniOpdStrongToWeak,
    ex_opd: ExOpd,
    full_vocab_opd: FullVocabOpd,
    gkd: Gkd,
    eopd: Eopd,
    tip: Tip,
    reopold: Reopold,
    va_opd: VaOpd,
    dopd: Dopd,
    dopd_vision: DopdVision,
    hinted_teacher: HintedTeacher,
    hinted_student: HintedStudent,
    hinted_both: HintedBoth,
    opsd: Opsd,
    sdpo: Sdpo,
    vision_opd: VisionOpd,
    sdft: Sdft,
    opcd: Opcd,
    grpo: Grpo,
    sft: Sft,
}
