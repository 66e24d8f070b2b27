//! Recipes that compare whole distributions, through `replay`, against a second, plain writing-down: with
//! vocabularies below and above the K they compare.

#[allow(dead_code, reason = "shared with `replay.rs`")]
#[path = "replay/reference.rs"]
mod reference;

use limbeck::replay::{Recorded, Replay};
use limbeck::Recipe;
use limbeck_recipes::*;
use reference::{divergence, log_softmax, mean, top_k, Dice};
use serde_json::{json, Value};

/// Logits of one policy at each token of a response.
type Rows = Vec<Vec<f64>>;

/// One recorded response: its tokens, and the logits of the student and of each other voice.
struct Line {
    tokens: Vec<usize>,
    student: Rows,
    others: Vec<Rows>,
}

impl Line {
    fn random(dice: &mut Dice, width: usize, voices: usize) -> Self {
        let length = 1 + dice.below(6);
        let student: Rows = (0..length).map(|_| (0..width).map(|_| dice.real(-4.0, 4.0)).collect()).collect();
        let mut near = || -> Rows {
            let row = |row: &Vec<f64>| row.iter().map(|z| z + dice.real(-1.5, 1.5)).collect();
            student.iter().map(row).collect()
        };
        let others = (0..voices).map(|_| near()).collect();
        Self { tokens: (0..length).map(|_| dice.below(width)).collect(), student, others }
    }

    fn json(&self, i: usize, voices: &[&str]) -> Value {
        let mut logits = json!({"student": self.student});
        for (voice, rows) in voices.iter().zip(&self.others) {
            logits[voice] = json!(rows);
        }
        json!({"prompt": format!("p{}", i % 2), "correct": i.is_multiple_of(3), "tokens": self.tokens, "logits": logits})
    }
}

fn replay<R: Recipe>(lines: &[Line], voices: &[&str]) -> Replay {
    let text: String =
        lines.iter().enumerate().map(|(i, line)| format!("{}\n", line.json(i, voices))).collect();
    R::DEFAULT.replay(Recorded::read(text.as_bytes(), "test", 0).unwrap()).unwrap()
}

fn softmax(row: &[f64]) -> Vec<f64> {
    log_softmax(row).iter().map(|z| z.exp()).collect()
}

/// `R` gives each token the loss that `of` makes of the student's distribution and the voices'.
#[track_caller]
fn loses<R: Recipe>(voices: &[&str], of: impl Fn(&[f64], &[Vec<f64>]) -> f64) {
    for (case, width) in [7, 40, 99, 100, 101, 128, 129, 300].into_iter().enumerate() {
        let mut dice = Dice::new(case as u64);
        let lines: Vec<Line> = (0..5).map(|_| Line::random(&mut dice, width, voices.len())).collect();
        let got = replay::<R>(&lines, voices);
        let mut total = 0.0;
        for (line, decision) in lines.iter().zip(&got.decisions) {
            let want: Vec<f64> = (0..line.tokens.len())
                .map(|t| {
                    let others: Vec<_> = line.others.iter().map(|rows| softmax(&rows[t])).collect();
                    of(&softmax(&line.student[t]), &others)
                })
                .collect();
            assert_eq!(decision.loss.len(), want.len());
            for (got, want) in decision.loss.iter().zip(&want) {
                assert!((got - want).abs() < 1e-9, "{} at V = {width}: {got} and {want}", R::NAME);
            }
            total += mean(&want);
        }
        assert!((got.summary.loss - total / 5.0).abs() < 1e-9);
    }
}

#[test]
fn sdpo() {
    loses::<Sdpo>(&["hinted_student"], |s, q| top_k(Err(0.5), (100, "Student", "Bucket"), s, &q[0]));
}

#[test]
fn vision_opd() {
    loses::<VisionOpd>(&["hinted_student"], |s, q| top_k(Err(0.5), (100, "Student", "Bucket"), s, &q[0]));
}

#[test]
fn sdft() {
    loses::<Sdft>(&["hinted_student"], |s, q| divergence(Ok("reverse"), s, &q[0]));
}

#[test]
fn opcd() {
    loses::<Opcd>(&["hinted_teacher"], |s, q| {
        top_k(Ok("reverse"), (128, "Student", "Renormalise"), s, &q[0])
    });
}

#[test]
fn gkd() {
    loses::<Gkd>(&["teacher"], |s, q| divergence(Err(0.5), s, &q[0]));
}

#[test]
fn hinted_student() {
    loses::<HintedStudent>(&["hinted_student"], |s, q| divergence(Err(0.5), s, &q[0]));
}

#[test]
fn hinted_both() {
    loses::<HintedBoth>(&["hinted_teacher", "hinted_student"], |s, q| {
        0.5 * divergence(Err(0.5), s, &q[0]) + 0.5 * divergence(Err(0.5), s, &q[1])
    });
}
