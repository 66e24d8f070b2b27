//! `limbeck replay` against a second, plain writing-down of the rules, on random recordings.

mod common;
#[path = "replay/reference.rs"]
mod reference;

use limbeck::prelude::*;
use limbeck::replay::{Recorded, Replay};
use limbeck::{Entry, Recipe};
use reference::{
    balance, divergence, greedy, grpo, log_softmax, mean, policy, sets, shift, top_k, Dice, Known, Line,
};

/// The recipe's decisions on these lines, through the reader that the command line uses.
fn replay<R: Recipe>(lines: &[Line], set: &[String], seed: u64) -> Replay {
    let text: String = lines.iter().map(|line| format!("{}\n", line.json())).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    let replay =
        limbeck::run::replay(&Entry::of::<R>(), file.path(), set, seed).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(replay.decisions.len(), lines.len());
    assert_eq!(replay.summary.groups, sets(lines, false).len());
    assert_eq!(replay.summary.tokens, lines.iter().map(|line| line.student.len()).sum::<usize>());
    assert_eq!(replay.summary.kept, replay.decisions.iter().filter(|d| d.kept).count());
    for (line, decision) in lines.iter().zip(&replay.decisions) {
        assert_eq!(decision.prompt, line.prompt);
        assert!(decision.weight.iter().all(|weight| *weight == 1.0));
    }
    replay
}

#[track_caller]
fn close(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-9 * (1.0 + want.abs()), "{got} is not {want}");
}

#[track_caller]
fn all_close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).for_each(|(got, want)| close(*got, *want));
}

/// The losses are these, and the summary's mean follows from them and from who was kept.
#[track_caller]
fn losses_are(replay: &Replay, want: &[Vec<f64>]) {
    let mut total = 0.0;
    for (decision, want) in replay.decisions.iter().zip(want) {
        all_close(&decision.loss, want);
        total += if decision.kept { mean(want) } else { 0.0 };
    }
    close(replay.summary.loss, total / want.len() as f64);
}

#[track_caller]
fn rewards_are(replay: &Replay, lines: &[Line], before: &[Vec<f64>], after: &[Vec<f64>]) {
    for (i, decision) in replay.decisions.iter().enumerate() {
        all_close(decision.advantage.as_ref().unwrap(), &after[i]);
        close(decision.return_before.unwrap(), mean(&before[i]));
        close(decision.calibrated_return.unwrap(), mean(&after[i]));
        assert_eq!(decision.loss.len(), lines[i].student.len());
    }
}

/// Who was kept is random; how many are is not.
#[track_caller]
fn kept_by_the_rule(replay: &Replay, lines: &[Line], global: bool, ratio: f64) {
    for set in sets(lines, global) {
        let right = set.iter().filter(|&&i| lines[i].correct == Some(true)).count();
        let judged = set.iter().any(|&i| lines[i].correct.is_some());
        let stay = |right: bool| {
            let of = |i: &&usize| (lines[**i].correct == Some(true)) == right && replay.decisions[**i].kept;
            set.iter().filter(of).count()
        };
        let want = balance(right, set.len() - right, judged, ratio);
        assert_eq!((stay(true), stay(false)), want, "of {right} and {}, ratio {ratio}", set.len() - right);
    }
}

/// What the calibration sees of each member of a set.
fn known(replay: &Replay, lines: &[Line], set: &[usize], over_kept: bool) -> Vec<Known> {
    let label = |i: usize| lines[i].correct.filter(|_| !over_kept || replay.decisions[i].kept);
    set.iter().map(|&i| (mean(&lines[i].rewards()), label(i))).collect()
}

/// Random settings of balance and calibration: words for `--set`, and what they say.
struct Settings {
    words: Vec<String>,
    balance_global: bool,
    ratio: f64,
    global: bool,
    min_max: bool,
    delta: f64,
    over_kept: bool,
    gap: f64,
}

impl Settings {
    fn random(dice: &mut Dice) -> Self {
        let scope = |global: bool| if global { "Global" } else { "Group" };
        let ratio = *dice.pick(&[0.0, 0.29, 0.5, 0.75, 1.0, 1.2, 2.0, 7.5, 1e300, 1e-300, f64::INFINITY]);
        let (balance_global, global) = (dice.below(2) == 0, dice.below(2) == 0);
        let (min_max, over_kept) = (dice.below(2) == 0, dice.below(2) == 0);
        let delta = *dice.pick(&[0.0, 0.4, -0.3, 0.05, 2.5, -40.0, 1e6]);
        let gap = *dice.pick(&[10.0, 1.0, 0.25, f64::INFINITY]);
        let words = vec![
            format!("balance.scope={}", scope(balance_global)),
            format!("balance.ratio={}", if ratio.is_finite() { format!("{ratio:e}") } else { "inf".into() }),
            format!("calibrate.scope={}", scope(global)),
            format!("calibrate.statistic={}", if min_max { "MinMax" } else { "Mean" }),
            format!("calibrate.delta={delta:?}"),
            format!("calibrate.over={}", if over_kept { "Kept" } else { "All" }),
            format!("loss.gap_mask={gap:?}"),
        ];
        Self { words, balance_global, ratio, global, min_max, delta, over_kept, gap }
    }
}

fn policy_losses(lines: &[Line], rewards: &[Vec<f64>], gap: f64) -> Vec<Vec<f64>> {
    let of = |(line, rewards): (&Line, &Vec<f64>)| {
        let token = |t: usize| policy(rewards[t], line.student[t], Some(line.teacher[t]), gap);
        (0..line.student.len()).map(token).collect()
    };
    lines.iter().zip(rewards).map(of).collect()
}

#[test]
fn the_shift_of_uni_opd() {
    for case in 0..400 {
        let mut dice = Dice::new(case);
        let mut settings = Settings::random(&mut dice);
        let direction = *dice.pick(&["CorrectUp", "IncorrectDown", "Both"]);
        settings.words.push(format!("calibrate.direction={direction}"));
        let whole_rows = case % 3 == 0;
        let lines = dice.lines(whole_rows);
        let replay = replay::<limbeck_recipes::UniOpd>(&lines, &settings.words, case);
        kept_by_the_rule(&replay, &lines, settings.balance_global, settings.ratio);
        let before: Vec<_> = lines.iter().map(Line::rewards).collect();
        let mut after = before.clone();
        let mut changed = 0;
        for set in sets(&lines, settings.global) {
            let group = known(&replay, &lines, &set, settings.over_kept);
            let offsets = shift(&group, settings.min_max, direction, settings.delta);
            changed += usize::from(offsets.iter().any(|offset| *offset != 0.0));
            for (&i, offset) in set.iter().zip(offsets) {
                after[i].iter_mut().for_each(|reward| *reward += offset);
            }
        }
        rewards_are(&replay, &lines, &before, &after);
        assert_eq!(replay.summary.calibrated_groups, changed, "case {case}");
        losses_are(&replay, &policy_losses(&lines, &after, settings.gap));
    }
}

#[test]
fn the_greedy_mask_of_uni_opd() {
    let mut compared = 0;
    for case in 1000..1400 {
        let mut dice = Dice::new(case);
        let mut settings = Settings::random(&mut dice);
        let retain = *dice.pick(&[0.25, 0.0, 0.5, 0.99, 1.0]);
        settings.words.push(format!("calibrate.retain={retain:?}"));
        let lines = dice.lines(case % 3 == 0);
        let replay = replay::<limbeck_recipes::UniOpdGreedyMask>(&lines, &settings.words, case);
        kept_by_the_rule(&replay, &lines, settings.balance_global, settings.ratio);
        let before: Vec<_> = lines.iter().map(Line::rewards).collect();
        let mut after = before.clone();
        let mut changed = 0;
        let mut clear = true;
        for set in sets(&lines, settings.global) {
            let group = known(&replay, &lines, &set, settings.over_kept);
            let Some(dropped) = greedy(&group, settings.min_max, settings.delta, retain) else {
                clear = false;
                break;
            };
            changed += usize::from(!dropped.is_empty());
            for place in dropped {
                after[set[place]].fill(0.0);
            }
        }
        if clear {
            compared += 1;
            rewards_are(&replay, &lines, &before, &after);
            assert_eq!(replay.summary.calibrated_groups, changed, "case {case}");
            losses_are(&replay, &policy_losses(&lines, &after, settings.gap));
        }
    }
    assert!(compared > 350, "only {compared} cases could be compared");
}

#[test]
fn plain_extrapolated_and_grouped_rewards() {
    for case in 2000..2200 {
        let mut dice = Dice::new(case);
        let lines = dice.lines(case % 2 == 0);
        let gap = *dice.pick(&[10.0, 0.5, f64::INFINITY]);
        let set = vec![format!("loss.gap_mask={gap:?}")];
        let plain: Vec<_> = lines.iter().map(Line::rewards).collect();
        let got = replay::<limbeck_recipes::VanillaOpd>(&lines, &set, 0);
        rewards_are(&got, &lines, &plain, &plain);
        losses_are(&got, &policy_losses(&lines, &plain, gap));
        // as far as the teacher and no farther, it is the same recipe, to the last bit
        let one = [&set[..], &["score.lambda=1.0".to_string()]].concat();
        let as_far = replay::<limbeck_recipes::ExOpd>(&lines, &one, 0);
        assert_eq!(as_far.to_json_lines(), got.to_json_lines());

        let lambda = *dice.pick(&[1.25, 1.0, 0.5, 3.0]);
        let beyond: Vec<Vec<f64>> = lines
            .iter()
            .map(|line| {
                let reward = |t: usize| {
                    lambda * line.teacher[t] + (1.0 - lambda) * line.reference[t] - line.student[t]
                };
                (0..line.student.len()).map(reward).collect()
            })
            .collect();
        let set = [set, vec![format!("score.lambda={lambda:?}")]].concat();
        let got = replay::<limbeck_recipes::ExOpd>(&lines, &set, 0);
        rewards_are(&got, &lines, &beyond, &beyond);
        losses_are(&got, &policy_losses(&lines, &beyond, gap));

        let got = replay::<limbeck_recipes::Grpo>(&lines, &[], 0);
        let mut want = vec![Vec::new(); lines.len()];
        for set in sets(&lines, false) {
            let labels: Vec<_> = set.iter().map(|&i| lines[i].correct).collect();
            for (&i, advantage) in set.iter().zip(grpo(&labels)) {
                want[i] = vec![-advantage; lines[i].student.len()];
            }
        }
        losses_are(&got, &want);

        let got = replay::<limbeck_recipes::Sft>(&lines, &[], 0);
        let want: Vec<Vec<f64>> =
            lines.iter().map(|line| line.student.iter().map(|s| -s).collect()).collect();
        losses_are(&got, &want);
    }
}

macro_rules! divergences {
    ($($name:ident: $loss:ty,)*) => {$(
        #[doc = "A divergence as a loss."]
        #[recipe]
        pub struct $name {
            #[teacher]
            teacher: Frozen,
            data: Prompts,
            rollout: Sample,
            score: FullVocab,
            loss: $loss,
            step: AdamW,
        }
    )*};
}

divergences! {
    Reverse: ReverseKl,
    Forward: ForwardKl,
    Mixed: Jsd,
    TopReverse: ReverseKl<TopK<3>>,
    TopForward: ForwardKl<TopK<3>>,
    TopMixed: Jsd<TopK<3>>,
}

#[test]
fn whole_and_truncated_divergences() {
    for case in 3000..3200 {
        let mut dice = Dice::new(case);
        let lines = dice.lines(true);
        let beta = dice.real(0.05, 0.95);
        let of_beta = format!("loss.beta={beta:?}");
        let full = |replay: &Replay, kind: Result<&str, f64>| {
            let want = |line: &Line| over_rows(line, |s, q| divergence(kind, s, q));
            losses_are(replay, &lines.iter().map(want).collect::<Vec<_>>());
            assert!(replay.decisions.iter().all(|d| d.advantage.is_none() && d.return_before.is_some()));
        };
        full(&replay::<limbeck_recipes::FullVocabOpd>(&lines, &[], 0), Ok("reverse"));
        full(&replay::<Reverse>(&lines, &[], 0), Ok("reverse"));
        full(&replay::<Forward>(&lines, &[], 0), Ok("forward"));
        full(&replay::<Mixed>(&lines, std::slice::from_ref(&of_beta), 0), Err(beta));

        let (support, tail) =
            (*dice.pick(&["Student", "Teacher", "Union"]), *dice.pick(&["Renormalise", "Bucket", "Drop"]));
        let set = vec![format!("loss.support={support}"), format!("loss.tail={tail}")];
        let top = |replay: &Replay, kind: Result<&str, f64>| {
            let want = |line: &Line| over_rows(line, |s, q| top_k(kind, (3, support, tail), s, q));
            losses_are(replay, &lines.iter().map(want).collect::<Vec<_>>());
        };
        let known = [set.clone(), vec!["loss.collapse_is_known=true".into()]].concat();
        top(&replay::<TopReverse>(&lines, &known, 0), Ok("reverse"));
        top(&replay::<TopForward>(&lines, &set, 0), Ok("forward"));
        top(&replay::<TopMixed>(&lines, &[set, vec![of_beta]].concat(), 0), Err(beta));
    }
}

fn over_rows(line: &Line, of: impl Fn(&[f64], &[f64]) -> f64) -> Vec<f64> {
    let [student, teacher] = line.rows.as_ref().unwrap();
    let p = |row: &[f64]| log_softmax(row).iter().map(|z| z.exp()).collect::<Vec<_>>();
    (0..student.len()).map(|t| of(&p(&student[t]), &p(&teacher[t]))).collect()
}

/// Of equals the right one is dropped, and exactly at `delta` nothing happens.
#[test]
fn exact_ties_have_a_rule() {
    let line = |prompt: &str, correct: bool, reward: f64| {
        format!(
            r#"{{"prompt": "{prompt}", "correct": {correct}, "student": [-1.0], "teacher": [{}]}}"#,
            reward - 1.0
        )
    };
    let text = [
        line("tie", true, 0.5),
        line("tie", true, -0.5),
        line("tie", false, 0.5),
        line("tie", false, -0.5),
        line("at", true, 0.25),
        line("at", false, -0.25),
    ]
    .join("\n");
    let set = ["calibrate.statistic=MinMax", "calibrate.delta=0.5", "balance.ratio=1"].map(String::from);
    let recorded = || Recorded::read(text.as_bytes(), "ties", 0).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    let got = limbeck::run::replay(&Entry::of::<limbeck_recipes::UniOpdGreedyMask>(), file.path(), &set, 0)
        .unwrap();
    let silent = |i: usize| got.decisions[i].advantage == Some(vec![0.0]);
    assert_eq!((0..6).map(silent).collect::<Vec<_>>(), [false, true, true, false, false, false]);
    let got = limbeck_recipes::UniOpd::DEFAULT.replay(recorded()).unwrap();
    assert_eq!(got.decisions[4].advantage, Some(vec![0.25]), "the margin is above 0.4 already");
}
