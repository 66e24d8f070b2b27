//! The rules of Uni-OPD, ExOPD, GRPO and the divergences once more, as plainly as they can be written.

use limbeck::rng::{Purpose, Stream};
use serde_json::{json, Value};

/// One recorded response.
#[derive(Clone)]
pub struct Line {
    pub prompt: String,
    pub correct: Option<bool>,
    pub tokens: Vec<usize>,
    /// Log-probabilities of the sampled tokens.
    pub student: Vec<f64>,
    pub teacher: Vec<f64>,
    pub reference: Vec<f64>,
    /// Logits, when the line is written with whole rows.
    pub rows: Option<[Vec<Vec<f64>>; 2]>,
}

impl Line {
    pub fn json(&self) -> Value {
        let mut line = json!({"prompt": self.prompt, "correct": self.correct, "reference": self.reference});
        match &self.rows {
            None => {
                line["student"] = json!(self.student);
                line["teacher"] = json!(self.teacher);
            }
            Some([student, teacher]) => {
                line["tokens"] = json!(self.tokens);
                line["logits"] = json!({"student": student, "teacher": teacher});
            }
        }
        line
    }

    pub fn rewards(&self) -> Vec<f64> {
        (0..self.student.len()).map(|t| self.teacher[t] - self.student[t]).collect()
    }
}

/// Random numbers for a case.
pub struct Dice(Stream);

impl Dice {
    pub fn new(case: u64) -> Self {
        Self(Stream::new(case, Purpose::Task, 0xD1CE, 0))
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0.below(n)
    }

    pub fn real(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.uniform()
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// A log-probability: mostly moderate, at times 0 or very low.
    fn log_prob(&mut self) -> f64 {
        match self.below(20) {
            0 => 0.0,
            1 => -self.real(10.0, 400.0),
            _ => -self.real(0.0, 4.0),
        }
    }

    /// Interleaved groups of all sizes; some of one class, some unjudged, a long response now and then.
    pub fn lines(&mut self, whole_rows: bool) -> Vec<Line> {
        let (groups, count, width) = (1 + self.below(5), 1 + self.below(20), 2 + self.below(6));
        let habits: Vec<usize> = (0..groups).map(|_| self.below(5)).collect();
        (0..count)
            .map(|_| {
                let group = self.below(groups);
                let correct = match habits[group] {
                    0 => Some(true),
                    1 => Some(false),
                    2 => None,
                    _ => *self.pick(&[Some(true), Some(true), Some(false), Some(false), None]),
                };
                let length = if self.below(30) == 0 { 400 } else { 1 + self.below(7) };
                self.line(format!("p{group}"), correct, length, whole_rows.then_some(width))
            })
            .collect()
    }

    fn line(&mut self, prompt: String, correct: Option<bool>, length: usize, width: Option<usize>) -> Line {
        let mut words = || (0..length).map(|_| self.log_prob()).collect::<Vec<_>>();
        let (mut student, mut teacher, reference) = (words(), words(), words());
        let tokens = (0..length).map(|_| self.below(width.unwrap_or(1))).collect::<Vec<_>>();
        let rows = width.map(|width| {
            let mut row = || (0..width).map(|_| self.real(-5.0, 5.0)).collect::<Vec<_>>();
            [(0..length).map(|_| row()).collect(), (0..length).map(|_| row()).collect::<Vec<_>>()]
        });
        if let Some([of_student, of_teacher]) = &rows {
            let said = |rows: &[Vec<f64>]| (0..length).map(|t| log_softmax(&rows[t])[tokens[t]]).collect();
            (student, teacher) = (said(of_student), said(of_teacher));
        }
        Line { prompt, correct, tokens, student, teacher, reference, rows }
    }
}

pub fn log_softmax(logits: &[f64]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|z| (z - top).exp()).sum();
    logits.iter().map(|z| z - top - sum.ln()).collect()
}

pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The lines that are looked at together.
pub fn sets(lines: &[Line], global: bool) -> Vec<Vec<usize>> {
    if global {
        return vec![(0..lines.len()).collect()];
    }
    let mut prompts: Vec<&str> = Vec::new();
    for line in lines {
        if !prompts.contains(&line.prompt.as_str()) {
            prompts.push(&line.prompt);
        }
    }
    prompts.iter().map(|p| (0..lines.len()).filter(|&i| lines[i].prompt == *p).collect()).collect()
}

/// How many correct ones and others stay, of so many.
pub fn balance(correct: usize, other: usize, judged: bool, ratio: f64) -> (usize, usize) {
    if !judged || ratio < 0.0 {
        return (correct, other);
    }
    if ratio == 0.0 {
        return (0, other);
    }
    if ratio.is_infinite() {
        return (correct, 0);
    }
    if correct == 0 || other == 0 {
        return (correct, other);
    }
    let (most_correct, most_other) = ((other as f64 * ratio).floor(), (correct as f64 / ratio).floor());
    if correct as f64 > most_correct && most_correct >= 1.0 {
        (most_correct as usize, other)
    } else if other as f64 > most_other && most_other >= 1.0 {
        (correct, most_other as usize)
    } else {
        (correct, other)
    }
}

/// The margin of a group; none where one side is empty.
fn margin(right: &[f64], wrong: &[f64], min_max: bool) -> Option<f64> {
    if right.is_empty() || wrong.is_empty() {
        return None;
    }
    Some(if min_max {
        right.iter().copied().fold(f64::INFINITY, f64::min)
            - wrong.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    } else {
        mean(right) - mean(wrong)
    })
}

/// What is known of one rollout of a group: its return, and its label as far as it counts.
pub type Known = (f64, Option<bool>);

fn side(group: &[Known], right: bool) -> Vec<f64> {
    group.iter().filter(|(_, label)| *label == Some(right)).map(|(g, _)| *g).collect()
}

/// What the shift adds to each rollout of a group.
pub fn shift(group: &[Known], min_max: bool, direction: &str, delta: f64) -> Vec<f64> {
    let lambda = match margin(&side(group, true), &side(group, false), min_max) {
        Some(margin) if margin < delta => delta - margin,
        _ => 0.0,
    };
    let (up, down) = match direction {
        "CorrectUp" => (lambda, 0.0),
        "IncorrectDown" => (0.0, lambda),
        _ => (lambda / 2.0, lambda / 2.0),
    };
    group.iter().map(|(_, label)| label.map_or(0.0, |right| if right { up } else { -down })).collect()
}

/// Which rollouts of a group the greedy mask drops; none where a choice hangs on rounding.
pub fn greedy(group: &[Known], min_max: bool, delta: f64, retain: f64) -> Option<Vec<usize>> {
    let of = |right: bool| -> Vec<usize> {
        let mut side: Vec<usize> = (0..group.len()).filter(|&i| group[i].1 == Some(right)).collect();
        side.sort_by(|&a, &b| {
            let order = group[a].0.partial_cmp(&group[b].0).unwrap();
            if right {
                order
            } else {
                order.reverse()
            }
        });
        side
    };
    let (mut right, mut wrong) = (of(true), of(false));
    let floor = |n: usize| usize::max(1, (retain * n as f64).floor() as usize);
    let (least_right, least_wrong) = (floor(right.len()), floor(wrong.len()));
    let gap = |right: &[usize], wrong: &[usize]| {
        let returns = |side: &[usize]| side.iter().map(|&i| group[i].0).collect::<Vec<_>>();
        margin(&returns(right), &returns(wrong), min_max)
    };
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let mut dropped = Vec::new();
    loop {
        let Some(now) = gap(&right, &wrong) else { return Some(dropped) };
        if near(now, delta) {
            return None;
        }
        if now > delta {
            return Some(dropped);
        }
        let less_right = if right.len() > least_right { gap(&right[1..], &wrong) } else { None };
        let less_wrong = if wrong.len() > least_wrong { gap(&right, &wrong[1..]) } else { None };
        for new in [less_right, less_wrong].into_iter().flatten() {
            if near(new, now) {
                return None;
            }
        }
        if let (Some(a), Some(b)) = (less_right, less_wrong)
            && near(a, b)
        {
            return None;
        }
        let right_best = less_right.unwrap_or(f64::NEG_INFINITY) >= less_wrong.unwrap_or(f64::NEG_INFINITY);
        let best = if right_best { less_right } else { less_wrong };
        match best {
            Some(best) if best > now => {
                dropped.push(if right_best { right.remove(0) } else { wrong.remove(0) });
            }
            _ => return Some(dropped),
        }
    }
}

/// The clipped policy loss of one token at ratio 1.
pub fn policy(advantage: f64, student: f64, teacher: Option<f64>, gap: f64) -> f64 {
    match teacher {
        Some(teacher) if (student - teacher).abs() >= gap => 0.0,
        _ => f64::max(-advantage, -(1f64.clamp(0.8, 1.28)) * advantage),
    }
}

/// GRPO's advantages of a group of labels.
pub fn grpo(labels: &[Option<bool>]) -> Vec<f64> {
    let outcomes: Vec<f64> = labels.iter().flatten().map(|&right| f64::from(u8::from(right))).collect();
    let centre = mean(&outcomes);
    let variance = outcomes.iter().map(|r| (r - centre).powi(2)).sum::<f64>() / (outcomes.len() as f64 - 1.0);
    if outcomes.len() < 2 || variance == 0.0 {
        return vec![0.0; labels.len()];
    }
    let of = |right: bool| (f64::from(u8::from(right)) - centre) / (variance.sqrt() + 1e-6);
    labels.iter().map(|label| label.map_or(0.0, of)).collect()
}

fn kl(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).map(|(p, q)| if *p > 0.0 { p * (p.ln() - q.ln()) } else { 0.0 }).sum()
}

/// A divergence of probabilities that need not sum to 1; `kind` as in the recipes, or a β.
pub fn divergence(kind: Result<&str, f64>, student: &[f64], teacher: &[f64]) -> f64 {
    match kind {
        Ok("forward") => kl(teacher, student),
        Ok(_) => kl(student, teacher),
        Err(beta) => {
            let mixed: Vec<f64> =
                student.iter().zip(teacher).map(|(s, q)| beta * q + (1.0 - beta) * s).collect();
            beta * kl(teacher, &mixed) + (1.0 - beta) * kl(student, &mixed)
        }
    }
}

/// The same on the K most probable tokens of one side or of both.
pub fn top_k(
    kind: Result<&str, f64>,
    (k, support, tail): (usize, &str, &str),
    student: &[f64],
    teacher: &[f64],
) -> f64 {
    let best = |row: &[f64]| {
        let mut ids: Vec<usize> = (0..row.len()).collect();
        ids.sort_by(|&a, &b| row[b].partial_cmp(&row[a]).unwrap().then(a.cmp(&b)));
        ids.truncate(k);
        ids
    };
    let mut ids = match support {
        "Student" => best(student),
        "Teacher" => best(teacher),
        _ => [best(student), best(teacher)].concat(),
    };
    ids.sort_unstable();
    ids.dedup();
    if k >= student.len() {
        return divergence(kind, student, teacher);
    }
    let on = |row: &[f64]| {
        let mut kept: Vec<f64> = ids.iter().map(|&id| row[id]).collect();
        let mass: f64 = kept.iter().sum();
        match tail {
            "Renormalise" => kept.iter_mut().for_each(|p| *p /= mass),
            "Bucket" if ids.len() < row.len() => {
                kept.push((0..row.len()).filter(|id| !ids.contains(id)).map(|id| row[id]).sum());
            }
            _ => {}
        }
        kept
    };
    divergence(kind, &on(student), &on(teacher))
}
