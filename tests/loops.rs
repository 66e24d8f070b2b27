//! The loop of every recipe, as people read it. A change here is a change of method.

use limbeck::{assert_loop_snapshot, Recipe};
use limbeck_recipes::*;

macro_rules! loops {
    ($($test:ident: $recipe:ty,)*) => {
        $(
            #[test]
            fn $test() {
                assert_loop_snapshot!($recipe);
            }
        )*

        #[test]
        fn every_loop_obeys_the_laws() {
            $(obeys(<$recipe>::NAME, <$recipe>::LOOP);)*
        }

        #[test]
        fn every_recipe_is_listed_and_snapshot() {
            let here = [$(<$recipe>::NAME),*];
            let listed: Vec<_> = ALL.iter().map(limbeck::Entry::name).collect();
            assert_eq!(here[..], listed[..]);
        }
    };
}

loops! {
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

/// At most 50 lines, no turbofish, no leading underscores, and a comment for every stage line.
fn obeys(name: &str, text: &str) {
    assert!(text.lines().count() <= 50, "{name}: {} lines", text.lines().count());
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    for line in &code {
        assert!(!line.contains("::<"), "{name}: turbofish in {line}");
        assert!(!line.contains(" _"), "{name}: leading underscore in {line}");
    }
    for stage in ["rollout", "verify", "balance", "score", "calibrate"] {
        let calls = code.iter().filter(|line| line.contains(&format!("self.{stage}."))).count();
        let comments =
            text.lines().filter(|line| line.trim_start().starts_with(&format!("// {stage}:"))).count();
        assert_eq!(calls, comments, "{name}: {stage}");
    }
}
