//! The published recipes, one file each; and the [`guide`].
//!
//! | recipe | paper | file | how it differs from `VanillaOpd` |
//! |---|---|---|---|
//! | [`VanillaOpd`] | Thinking Machines 2025; Uni-OPD's baseline | `vanilla_opd.rs` | — |
//! | [`VanillaOpdSingle`] | the same, one teacher | `vanilla_opd_single.rs` | one teacher for every prompt |
//! | [`UniOpd`] | arXiv 2605.03677, sections 3 and 4 | `uni_opd.rs` | balanced prompts, verified and balanced rollouts, calibrated margins |
//! | [`UniOpdSingle`] | the same, one teacher | `uni_opd_single.rs` | as `UniOpd`, one teacher for every prompt |
//! | [`UniOpdGreedyMask`] | the same, its mask | `uni_opd_greedy_mask.rs` | as `UniOpd`, masks where `UniOpd` shifts |
//! | [`UniOpdCrossModal`] | the same, cross-modal | `uni_opd_cross_modal.rs` | as `UniOpd`, a teacher of text and one with eyes |
//! | [`UniOpdStrongToWeak`] | the same, strong to weak | `uni_opd_strong_to_weak.rs` | as `UniOpd`, one much larger teacher |
//! | [`ExOpd`] | arXiv 2602.12125 | `ex_opd.rs` | goes beyond the teacher, away from the student's start |
//! | [`FullVocabOpd`] | DOPD (arXiv 2606.30626), its full-vocabulary baseline | `full_vocab_opd.rs` | whole distributions, reverse KL |
//! | [`Gkd`] | arXiv 2306.13649 | `gkd.rs` | whole distributions, Jensen-Shannon; some batches are reference answers |
//! | [`Eopd`] | arXiv 2603.07079 | `eopd.rs` | also the forward KL where the teacher is unsure |
//! | [`Tip`] | arXiv 2604.14084 | `tip.rs` | whole distributions, and only the tokens where student is unsure or far off |
//! | [`Reopold`] | arXiv 2603.11137 | `reopold.rs` | rewards with a floor; later only where the student is unsure |
//! | [`VaOpd`] | arXiv 2605.21924 | `va_opd.rs` | whole distributions, weighed by what a poorer view loses |
//! | [`Dopd`] | arXiv 2606.30626 | `dopd.rs` | hinted teacher and hinted self, each token routed to one |
//! | [`DopdVision`] | the same, for students with eyes | `dopd_vision.rs` | as `Dopd`, boxes in place of hints |
//! | [`HintedTeacher`] | the same, its figure 3 | `hinted_teacher.rs` | hinted teacher, every token alike |
//! | [`HintedStudent`] | the same | `hinted_student.rs` | hinted self, every token alike |
//! | [`HintedBoth`] | the same | `hinted_both.rs` | hinted teacher and hinted self, every token half from either |
//! | [`Opsd`] | arXiv 2601.18734 | `opsd.rs` | the student's own hinted start teaches |
//! | [`Sdpo`] | arXiv 2601.20802 | `sdpo.rs` | its running mean teaches, shown what came out right or why it was wrong |
//! | [`VisionOpd`] | arXiv 2605.18740 | `vision_opd.rs` | its running mean teaches, shown the evidence |
//! | [`Sdft`] | arXiv 2601.19897 | `sdft.rs` | its running mean teaches, shown a demonstration |
//! | [`Opcd`] | arXiv 2602.12275 | `opcd.rs` | the teacher reads experience that the student does without |
//! | [`Grpo`] | arXiv 2402.03300 | `grpo.rs` | no teacher: outcomes within the group |
//! | [`Sft`] | — | `sft.rs` | no teacher, not on-policy: imitates reference answers |

#![warn(missing_docs)]

pub mod ablations;
pub mod guide;

mod dopd;
mod dopd_vision;
mod eopd;
mod ex_opd;
mod full_vocab_opd;
mod gkd;
mod grpo;
mod hinted_both;
mod hinted_student;
mod hinted_teacher;
mod opcd;
mod opsd;
mod reopold;
mod sdft;
mod sdpo;
mod sft;
mod tip;
mod uni_opd;
mod uni_opd_cross_modal;
mod uni_opd_greedy_mask;
mod uni_opd_single;
mod uni_opd_strong_to_weak;
mod va_opd;
mod vanilla_opd;
mod vanilla_opd_single;
mod vision_opd;

pub use dopd::Dopd;
pub use dopd_vision::DopdVision;
pub use eopd::Eopd;
pub use ex_opd::ExOpd;
pub use full_vocab_opd::FullVocabOpd;
pub use gkd::Gkd;
pub use grpo::Grpo;
pub use hinted_both::HintedBoth;
pub use hinted_student::HintedStudent;
pub use hinted_teacher::HintedTeacher;
pub use opcd::Opcd;
pub use opsd::Opsd;
pub use reopold::Reopold;
pub use sdft::Sdft;
pub use sdpo::Sdpo;
pub use sft::Sft;
pub use tip::Tip;
pub use uni_opd::UniOpd;
pub use uni_opd_cross_modal::UniOpdCrossModal;
pub use uni_opd_greedy_mask::UniOpdGreedyMask;
pub use uni_opd_single::UniOpdSingle;
pub use uni_opd_strong_to_weak::UniOpdStrongToWeak;
pub use va_opd::VaOpd;
pub use vanilla_opd::VanillaOpd;
pub use vanilla_opd_single::VanillaOpdSingle;
pub use vision_opd::VisionOpd;

use limbeck::Entry;

/// Every recipe of this crate.
pub static ALL: &[Entry] = LIST;

/// Every recipe and every ablation, as the `limbeck` binary offers them.
pub static EVERY: &[Entry] = &{
    let mut every = [LIST[0]; LIST.len() + ablations::LIST.len()];
    let mut place = 0;
    while place < every.len() {
        let ablation = place >= LIST.len();
        every[place] = if ablation { ablations::LIST[place - LIST.len()] } else { LIST[place] };
        place += 1;
    }
    every
};

const LIST: &[Entry] = &[
    Entry::of::<VanillaOpd>(),
    Entry::of::<VanillaOpdSingle>(),
    Entry::of::<UniOpd>(),
    Entry::of::<UniOpdSingle>(),
    Entry::of::<UniOpdGreedyMask>(),
    Entry::of::<UniOpdCrossModal>(),
    Entry::of::<UniOpdStrongToWeak>(),
    Entry::of::<ExOpd>(),
    Entry::of::<FullVocabOpd>(),
    Entry::of::<Gkd>(),
    Entry::of::<Eopd>(),
    Entry::of::<Tip>(),
    Entry::of::<Reopold>(),
    Entry::of::<VaOpd>(),
    Entry::of::<Dopd>(),
    Entry::of::<DopdVision>(),
    Entry::of::<HintedTeacher>(),
    Entry::of::<HintedStudent>(),
    Entry::of::<HintedBoth>(),
    Entry::of::<Opsd>(),
    Entry::of::<Sdpo>(),
    Entry::of::<VisionOpd>(),
    Entry::of::<Sdft>(),
    Entry::of::<Opcd>(),
    Entry::of::<Grpo>(),
    Entry::of::<Sft>(),
];
