//! The papers' ablations: each a fork of its recipe in a few lines, and a snapshot of what it changes.
//!
//! | file | what is taken away or put in its place | numbers of the paper |
//! |---|---|---|
//! | `uni_opd_parts.rs` | a part of Uni-OPD, the margin's statistic, its direction | arXiv 2605.03677, component ablation and table 6 |
//! | `uni_opd_ratios.rs` | right answers per wrong one | the same, sweep of the ratio |
//! | `dopd_tokens.rs` | which regimes learn | arXiv 2606.30626, token types |
//! | `dopd_divergences.rs` | one divergence and one granularity for all tokens | the same, divergence × granularity |
//! | `dopd_components.rs` | a source, the objective, the granularity | the same, components |
//! | `dopd_privilege.rs` | what the two voices read | the same, form of the privileged input |
//! | `dopd_vision.rs` | what the two voices of a student with eyes read | the same, form of the privileged input |
//! | `pruning.rs` | a fifth of the tokens, chosen by their gap | the same, pruning study |
//!
//! Some rows of the papers' tables are recipes by themselves: the mask in place of the shift is
//! [`UniOpdGreedyMask`](crate::UniOpdGreedyMask), ratio 1 is [`UniOpd`](crate::UniOpd), privilege for one side or
//! both without routing (figure 3, and "no advantage") is [`HintedTeacher`](crate::HintedTeacher),
//! [`HintedStudent`](crate::HintedStudent) and [`HintedBoth`](crate::HintedBoth).

mod dopd_components;
mod dopd_divergences;
mod dopd_privilege;
mod dopd_tokens;
mod dopd_vision;
mod pruning;
mod uni_opd_parts;
mod uni_opd_ratios;

pub use dopd_components::*;
pub use dopd_divergences::*;
pub use dopd_privilege::*;
pub use dopd_tokens::*;
pub use dopd_vision::*;
pub use pruning::*;
pub use uni_opd_parts::*;
pub use uni_opd_ratios::*;

use limbeck::Entry;

/// Every ablation, by paper.
pub(crate) const LIST: &[Entry] = &[
    Entry::of::<NoOfflineBalance>(),
    Entry::of::<NoOnlineBalance>(),
    Entry::of::<NoCalibration>(),
    Entry::of::<MinMaxMargin>(),
    Entry::of::<OnlyCorrectUp>(),
    Entry::of::<OnlyIncorrectDown>(),
    Entry::of::<RatioHalf>(),
    Entry::of::<RatioThreeQuarters>(),
    Entry::of::<RatioSixFifths>(),
    Entry::of::<RatioThreeHalves>(),
    Entry::of::<RatioTwo>(),
    Entry::of::<OnlyCorrect>(),
    Entry::of::<AdaptiveHt>(),
    Entry::of::<AdaptiveHtLh>(),
    Entry::of::<AdaptiveHtLl>(),
    Entry::of::<AdaptiveHtHs>(),
    Entry::of::<EqualHt>(),
    Entry::of::<EqualHtLh>(),
    Entry::of::<EqualHtLl>(),
    Entry::of::<EqualHtHs>(),
    Entry::of::<EqualJsdTopK>(),
    Entry::of::<EqualForwardTopK>(),
    Entry::of::<EqualReverseTopK>(),
    Entry::of::<EqualJsdFull>(),
    Entry::of::<EqualForwardFull>(),
    Entry::of::<EqualReverseFull>(),
    Entry::of::<EqualJsdSampled>(),
    Entry::of::<EqualForwardSampled>(),
    Entry::of::<EqualReverseSampled>(),
    Entry::of::<NoStudentSource>(),
    Entry::of::<NoTeacherSource>(),
    Entry::of::<OneObjective>(),
    Entry::of::<OneGranularity>(),
    Entry::of::<AnswerForHints>(),
    Entry::of::<NoPrivilege>(),
    Entry::of::<CaptionForBoxes>(),
    Entry::of::<CaptionWithBoxes>(),
    Entry::of::<AnswerForBoxes>(),
    Entry::of::<NothingForBoxes>(),
    Entry::of::<PruneHighest>(),
    Entry::of::<PruneLowest>(),
    Entry::of::<PruneRandom>(),
];

/// Every ablation, by paper.
pub static ALL: &[Entry] = LIST;
