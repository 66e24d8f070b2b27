use limbeck::prelude::*;

use crate::UniOpd;

/// Uni-OPD without its offline balancing: every prompt once an epoch, however hard.
///
/// arXiv 2605.03677, component ablation: 47.5 / 62.3 (math / code) against 48.5 / 63.6 for the whole.
#[recipe(base = UniOpd)]
pub struct NoOfflineBalance {
    data: Prompts,
}

/// Uni-OPD without its online balancing: every answer is learnt from.
///
/// arXiv 2605.03677, component ablation: 47.8 / 62.6 against 48.5 / 63.6.
#[recipe(base = UniOpd, without(balance))]
pub struct NoOnlineBalance;

/// Uni-OPD without its margin calibration: rewards as the teachers give them.
///
/// arXiv 2605.03677, component ablation: 47.3 / 61.2 against 48.5 / 63.6.
#[recipe(base = UniOpd, without(calibrate))]
pub struct NoCalibration;

/// Uni-OPD with the margin between the worst right and the best wrong answer.
///
/// arXiv 2605.03677, section 4: the text's definition of the margin, where the runs take means.
#[recipe(base = UniOpd)]
pub struct MinMaxMargin {
    #[with(statistic = Statistic::MinMax)]
    calibrate: _,
}

/// Uni-OPD that makes up for the missing margin on right answers only ("Lift").
///
/// arXiv 2605.03677, equations of section 4; its multimodal runs do so.
#[recipe(base = UniOpd)]
pub struct OnlyCorrectUp {
    #[with(direction = Direction::CorrectUp)]
    calibrate: _,
}

/// Uni-OPD that makes up for the missing margin on wrong answers only.
///
/// arXiv 2605.03677, section 4: the third direction beside "Lift" and "Spread".
#[recipe(base = UniOpd)]
pub struct OnlyIncorrectDown {
    #[with(direction = Direction::IncorrectDown)]
    calibrate: _,
}
