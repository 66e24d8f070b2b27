//! One line of a recording, read and checked.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::recorded::Voice;
use crate::error::{Error, Result};

/// A line as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    prompt: String,
    #[serde(default)]
    domain: Option<String>,
    #[serde(default)]
    correct: Option<bool>,
    #[serde(default)]
    student: Option<Vec<f64>>,
    #[serde(default)]
    teacher: Option<Vec<f64>>,
    #[serde(default)]
    hinted_student: Option<Vec<f64>>,
    #[serde(default)]
    hinted_teacher: Option<Vec<f64>>,
    #[serde(default)]
    reference: Option<Vec<f64>>,
    #[serde(default)]
    tokens: Option<Vec<u32>>,
    #[serde(default)]
    logits: Option<WrittenRows>,
}

type Matrix = Vec<Vec<f64>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRows {
    #[serde(default)]
    student: Option<Matrix>,
    #[serde(default)]
    teacher: Option<Matrix>,
    #[serde(default)]
    hinted_student: Option<Matrix>,
    #[serde(default)]
    hinted_teacher: Option<Matrix>,
    #[serde(default)]
    reference: Option<Matrix>,
}

/// What one policy said of one response.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// Log-probabilities of the sampled tokens.
    pub log_probs_T: Vec<f64>,
    /// Log-probabilities over the vocabulary, `[T * V]`, when logits were recorded.
    pub log_rows: Option<Vec<f64>>,
    /// `V`, or 0.
    pub width: usize,
}

/// One recorded response.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub prompt: String,
    pub domain: String,
    pub correct: Option<bool>,
    pub tokens_T: Vec<u32>,
    pub said: BTreeMap<Voice, Said>,
}

impl Line {
    /// Reads one line; `place` is where it stands.
    pub fn read(text: &str, place: &str) -> Result<Self> {
        let written: Written = serde_json::from_str(text).map_err(|why| {
            Error::call(format!("is not a recorded response: {}", without_place(&why)))
                .at(format!("{place}:{}", why.column()))
                .next("a line has the keys prompt, domain, correct, student, teacher, hinted_student, hinted_teacher, reference, tokens, logits")
        })?;
        let mut said = BTreeMap::new();
        let spoken = [
            (Voice::Student, written.student),
            (Voice::Teacher, written.teacher),
            (Voice::HintedStudent, written.hinted_student),
            (Voice::HintedTeacher, written.hinted_teacher),
            (Voice::Reference, written.reference),
        ];
        for (voice, log_probs) in spoken {
            if let Some(log_probs_T) = log_probs {
                check_log_probs(voice, &log_probs_T).map_err(|why| why.at(place))?;
                said.insert(voice, Said { log_probs_T, log_rows: None, width: 0 });
            }
        }
        if let Some(rows) = written.logits {
            let tokens = written.tokens.as_deref().ok_or_else(|| {
                Error::call("`logits` are given without `tokens`")
                    .at(place)
                    .next("add the sampled token ids as `tokens`")
            })?;
            let given = [
                (Voice::Student, rows.student),
                (Voice::Teacher, rows.teacher),
                (Voice::HintedStudent, rows.hinted_student),
                (Voice::HintedTeacher, rows.hinted_teacher),
                (Voice::Reference, rows.reference),
            ];
            for (voice, matrix) in given {
                let Some(matrix) = matrix else { continue };
                let read = from_logits(voice, &matrix, tokens).map_err(|why| why.at(place))?;
                if said.insert(voice, read).is_some() {
                    return Err(Error::call(format!("`{voice}` has both log-probabilities and logits"))
                        .at(place)
                        .next("give one or the other"));
                }
            }
        }
        let line = Self {
            prompt: written.prompt,
            domain: written.domain.unwrap_or_default(),
            correct: written.correct,
            tokens_T: Vec::new(),
            said,
        };
        line.with_tokens(written.tokens).map_err(|why| why.at(place))
    }

    /// Settles the length, on which every policy must agree.
    fn with_tokens(mut self, tokens: Option<Vec<u32>>) -> Result<Self> {
        let mut lengths = self.said.iter().map(|(voice, said)| (voice.to_string(), said.log_probs_T.len()));
        let given = tokens.as_ref().map(|tokens| ("tokens".to_string(), tokens.len()));
        let Some((first, length)) = given.or_else(|| lengths.next()) else {
            return Err(Error::call("no policy said anything about this response")
                .next("add `student` and the others the recipe needs"));
        };
        if length == 0 {
            return Err(Error::call("the response has no tokens").next("leave empty responses out"));
        }
        if let Some((other, found)) = lengths.find(|(_, found)| *found != length) {
            return Err(Error::call(format!("`{first}` has {length} tokens and `{other}` has {found}"))
                .next("every policy scores the same tokens"));
        }
        drop(lengths);
        let mut widths = self.said.values().map(|said| said.width).filter(|width| *width > 0);
        if let Some(width) = widths.next()
            && let Some(other) = widths.find(|other| *other != width)
        {
            return Err(Error::call(format!("rows of unequal width: {width} and {other}"))
                .next("all policies must share one vocabulary"));
        }
        self.tokens_T = tokens.unwrap_or_else(|| vec![0; length]);
        Ok(self)
    }
}

fn check_log_probs(voice: Voice, log_probs: &[f64]) -> Result<()> {
    for (t, x) in log_probs.iter().enumerate() {
        if !x.is_finite() {
            return Err(Error::call(format!("`{voice}` token {t} is not a finite number")));
        }
        if *x > 0.0 {
            return Err(Error::call(format!("`{voice}` token {t} has a positive log-probability ({x})"))
                .next("these are natural logarithms of probabilities: 0 or below"));
        }
    }
    Ok(())
}

fn from_logits(voice: Voice, matrix: &[Vec<f64>], tokens: &[u32]) -> Result<Said> {
    if matrix.len() != tokens.len() {
        return Err(Error::call(format!(
            "`logits.{voice}` has {} rows for {} tokens",
            matrix.len(),
            tokens.len()
        ))
        .next("give one row of logits a token"));
    }
    let width = matrix.first().map_or(0, Vec::len);
    let mut log_rows = Vec::with_capacity(width * matrix.len());
    let mut log_probs_T = Vec::with_capacity(matrix.len());
    for (t, (row, &token)) in matrix.iter().zip(tokens).enumerate() {
        if row.len() != width || width == 0 {
            return Err(Error::call(format!(
                "rows of unequal width: `logits.{voice}` row {t} has {} and row 0 has {width}",
                row.len()
            )));
        }
        if let Some(v) = row.iter().position(|x| !x.is_finite()) {
            return Err(Error::call(format!("`logits.{voice}` row {t} column {v} is not a finite number")));
        }
        if token as usize >= width {
            return Err(Error::call(format!(
                "token {t} has the id {token}, and the rows have {width} columns"
            )));
        }
        let start = log_rows.len();
        log_rows.resize(start + width, 0.0);
        crate::real::log_softmax_into(row, &mut log_rows[start..]);
        if let Some(v) = log_rows[start..].iter().position(|x| !x.is_finite()) {
            return Err(Error::call(format!(
                "`logits.{voice}` row {t} column {v} is so far below the others that it has no finite log-probability"
            ))
            .next("logits of a model lie within some hundreds of each other"));
        }
        log_probs_T.push(log_rows[start + token as usize]);
    }
    Ok(Said { log_probs_T, log_rows: Some(log_rows), width })
}

/// serde_json's message without its own "at line …", which counts within the line.
fn without_place(why: &serde_json::Error) -> String {
    let text = why.to_string();
    text.split(" at line ").next().unwrap_or_default().to_string()
}
