use std::fmt;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use super::line::{Line, Said};
use crate::batch::{Place, Prompt, Response, Rollouts};
use crate::capability::{Judged, Unjudged};
use crate::error::{Error, Result};
use crate::log::Metrics;
use crate::real::entropy;
use crate::world::rows::Row;
use crate::world::verifier::for_domain;

/// Whose words a recording holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Voice {
    /// The student on the plain prompt.
    Student,
    /// The teacher on the plain prompt.
    Teacher,
    /// The student on the hinted prompt.
    HintedStudent,
    /// The teacher on the hinted prompt.
    HintedTeacher,
    /// The reference.
    Reference,
}

impl fmt::Display for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Student => "student",
            Self::Teacher => "teacher",
            Self::HintedStudent => "hinted_student",
            Self::HintedTeacher => "hinted_teacher",
            Self::Reference => "reference",
        })
    }
}

/// Recorded rollouts, checked.
#[derive(Clone, Debug)]
pub struct Recorded {
    lines: Vec<Line>,
    /// Where each line stands, for messages.
    places: Vec<String>,
    seed: u64,
}

impl Recorded {
    /// Reads a JSON Lines file.
    ///
    /// # Errors
    /// The first line that does not hold, with what is wrong.
    pub fn open(path: &Path, seed: u64) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|why| Error::reading(path, why))?;
        Self::read(std::io::BufReader::new(file), &path.display().to_string(), seed)
    }

    /// Reads JSON Lines; `name` is what messages call their source.
    ///
    /// # Errors
    /// The first line that does not hold, with what is wrong.
    pub fn read(source: impl BufRead, name: &str, seed: u64) -> Result<Self> {
        let (mut lines, mut places): (Vec<Line>, Vec<String>) = (Vec::new(), Vec::new());
        for (number, text) in source.lines().enumerate() {
            let place = format!("{name}:{}", number + 1);
            let text = text.map_err(|why| Error::call(format!("cannot be read: {why}")).at(&place))?;
            if text.trim().is_empty() {
                continue;
            }
            lines.push(Line::read(&text, &place)?);
            places.push(place);
        }
        if lines.is_empty() {
            return Err(Error::call("holds no recorded responses")
                .at(name)
                .next("give one JSON object a line"));
        }
        let recorded = Self { lines, places, seed };
        recorded.must_share_width()?;
        Ok(recorded)
    }

    fn must_share_width(&self) -> Result<()> {
        let widths = self.lines.iter().zip(&self.places).filter_map(|(line, place)| {
            line.said.values().map(|said| said.width).find(|width| *width > 0).map(|width| (width, place))
        });
        let mut first = None;
        for (width, place) in widths {
            let expected = *first.get_or_insert(width);
            if width != expected {
                return Err(Error::call(format!(
                    "rows of unequal width: {width} here and {expected} before"
                ))
                .at(place)
                .next("all responses must share one vocabulary"));
            }
        }
        Ok(())
    }

    /// The rollouts with their recorded outcomes.
    ///
    /// # Errors
    /// None now; a recording is checked when it is read.
    pub fn judged(&self) -> Result<Rollouts<Judged>> {
        let outcomes_N = self.lines.iter().map(|line| line.correct).collect();
        Ok(self.unjudged()?.judged_as(Judged { outcomes_N }))
    }

    /// The rollouts, outcomes left aside.
    ///
    /// # Errors
    /// None now; a recording is checked when it is read.
    pub fn unjudged(&self) -> Result<Rollouts<Unjudged>> {
        let mut prompts_P: Vec<Arc<Prompt>> = Vec::new();
        let mut known = std::collections::HashMap::new();
        let mut responses_N = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let prompt = *known.entry(line.prompt.as_str()).or_insert_with(|| {
                prompts_P.push(Arc::new(prompt(prompts_P.len(), line)));
                prompts_P.len() - 1
            });
            responses_N.push(Response {
                prompt,
                tokens_T: line.tokens_T.clone(),
                text: String::new(),
                log_probs_T: Vec::new(),
                finished: true,
            });
        }
        let kept_N = vec![true; responses_N.len()];
        let place = Place { seed: self.seed, step: 0 };
        Ok(Rollouts {
            place,
            prompts_P,
            responses_N,
            judgement: Unjudged,
            kept_N,
            ledger: Metrics::default(),
        })
    }

    fn said(&self, i: usize, voice: Voice) -> Result<&Said> {
        self.lines[i].said.get(&voice).ok_or_else(|| {
            Error::call(format!("the recipe needs what `{voice}` says of the sampled tokens"))
                .at(&self.places[i])
                .next(format!("add `{voice}` (log-probabilities) or `logits.{voice}` to the line"))
        })
    }

    /// What `voice` says of every sampled token, response by response.
    ///
    /// # Errors
    /// A line without that voice.
    pub fn log_probs(&self, voice: Voice) -> Result<Vec<Vec<f64>>> {
        (0..self.lines.len()).map(|i| self.said(i, voice).map(|said| said.log_probs_T.clone())).collect()
    }

    /// The log-probabilities of `voice` over the vocabulary, `[T * V]` a response.
    ///
    /// # Errors
    /// A line without that voice's logits.
    pub fn log_rows(&self, voice: Voice) -> Result<Vec<Vec<f64>>> {
        let rows = |i| -> Result<Vec<f64>> {
            self.said(i, voice)?.log_rows.clone().ok_or_else(|| {
                Error::call(format!(
                    "the recipe compares whole distributions, and `{voice}` gives only the sampled tokens"
                ))
                .at(&self.places[i])
                .next(format!("record `tokens` and `logits.{voice}`"))
            })
        };
        (0..self.lines.len()).map(rows).collect()
    }

    /// The entropy of `voice` at each token, in nats.
    ///
    /// # Errors
    /// A line without that voice's logits.
    pub fn entropies(&self, voice: Voice) -> Result<Vec<Vec<f64>>> {
        let of = |i| -> Result<Vec<f64>> {
            let said = self.said(i, voice)?;
            let rows = said.log_rows.as_ref().ok_or_else(|| {
                Error::call(format!(
                    "the recipe asks how uncertain `{voice}` is, and the line gives it only for the sampled tokens"
                ))
                .at(&self.places[i])
                .next(format!("record `tokens` and `logits.{voice}`"))
            })?;
            Ok(rows.chunks_exact(said.width).map(entropy).collect())
        };
        (0..self.lines.len()).map(of).collect()
    }

    /// The width of the rows of `voice`.
    ///
    /// # Errors
    /// A line without that voice's logits.
    pub fn width(&self, voice: Voice) -> Result<usize> {
        self.log_rows(voice)?;
        Ok(self.said(0, voice)?.width)
    }

    /// The student's log-probabilities over the vocabulary at one token, when logits were recorded.
    pub(super) fn student_row(&self, i: usize, t: usize) -> Option<&[f64]> {
        let said = self.lines[i].said.get(&Voice::Student)?;
        let rows = said.log_rows.as_ref()?;
        rows.get(t * said.width..(t + 1) * said.width)
    }

    /// Where response `i` stands.
    pub(super) fn place(&self, i: usize) -> &str {
        &self.places[i]
    }

    /// The student's log-probability of one sampled token.
    pub(super) fn student_log_prob(&self, i: usize, t: usize) -> Result<f64> {
        Ok(self.said(i, Voice::Student)?.log_probs_T[t])
    }
}

fn prompt(index: usize, line: &Line) -> Prompt {
    let row = Row { domain: line.domain.clone(), ..Row::new(line.prompt.as_str()) };
    let verifier = for_domain(&line.domain);
    Prompt {
        index,
        tokens: Vec::new(),
        text: line.prompt.clone(),
        reference: None,
        sights: Vec::new(),
        row,
        verifier,
        placement: Arc::default(),
    }
}
