//! Prompts and responses, one after the other without padding, and where the model is to speak.

use super::vision::Sight;
use crate::error::{Error, Result};
use crate::kernels::attention::{Span, Spans};
use std::ops::Range;

/// What stands before a response: tokens, and the images whose places some of them hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Before<'a> {
    /// The tokens.
    pub tokens: &'a [u32],
    /// The images, in order.
    pub sights: &'a [Sight],
}

/// A batch of sequences. Row r of the model's answer is its distribution over the r-th wanted token.
#[derive(Clone, Debug)]
pub struct Packed {
    tokens: Vec<u32>,
    spans: Spans,
    /// The images, at the rows of their first tokens.
    sights: Vec<Sight>,
    rows: Vec<usize>,
    pairs: Vec<Range<usize>>,
    /// How many tokens each pair's sequence has.
    lengths: Vec<usize>,
    without_prompt: Option<usize>,
}

impl Packed {
    /// Packs pairs of prompt and response. **The one place where the next-token shift happens**: the model
    /// reads `prompt ++ response[..len - 1]`, and the rows asked for are the `len` positions that predict
    /// `response[0..len]`. A pair with an empty response adds no rows. An empty prompt before a response
    /// leaves nothing to predict its first token from: every pass over the batch will refuse it.
    ///
    /// The prompt of pairs that follow each other and have the same is read once.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a [u32], &'a [u32])>) -> Self {
        Self::seeing(pairs.into_iter().map(|(tokens, response)| (Before { tokens, sights: &[] }, response)))
    }

    /// [`Packed::of`] prompts that show images.
    pub fn seeing<'a>(pairs: impl IntoIterator<Item = (Before<'a>, &'a [u32])>) -> Self {
        let pairs: Vec<_> = pairs.into_iter().collect();
        let mut packed = Self::nothing();
        let mut spans = Vec::new();
        for run in pairs.chunk_by(|a, b| a.0 == b.0) {
            let speak = run.iter().filter(|(_, response)| !response.is_empty()).count();
            let prompt = run[0].0;
            let start = packed.tokens.len();
            let shared = speak > 1 && !prompt.tokens.is_empty();
            if shared {
                packed.read(prompt);
                spans.push(Span::alone(start..start + prompt.tokens.len()));
            }
            for &(_, response) in run {
                spans.extend(packed.push(prompt, response, shared.then_some(start)));
            }
        }
        Self { spans: spans.into(), ..packed }
    }

    fn nothing() -> Self {
        let (tokens, spans, sights, rows) = (Vec::new(), Spans::from([]), Vec::new(), Vec::new());
        Self { tokens, spans, sights, rows, pairs: Vec::new(), lengths: Vec::new(), without_prompt: None }
    }

    /// Adds a prompt's tokens and its images.
    fn read(&mut self, prompt: Before<'_>) {
        let start = self.tokens.len();
        self.tokens.extend_from_slice(prompt.tokens);
        self.sights.extend(prompt.sights.iter().map(|sight| Sight { at: start + sight.at, ..sight.clone() }));
    }

    /// Adds one pair, whose prompt may stand there already, from `shared` on.
    fn push(&mut self, before: Before<'_>, response: &[u32], shared: Option<usize>) -> Option<Span> {
        let (start, first) = (self.tokens.len(), self.rows.len());
        let prompt = before.tokens;
        let mut span = None;
        let mut length = 0;
        if let [read @ .., _] = response {
            if prompt.is_empty() {
                self.without_prompt.get_or_insert(self.pairs.len());
            } else {
                let begins = shared.unwrap_or(start);
                if shared.is_none() {
                    self.read(before);
                }
                self.tokens.extend_from_slice(read);
                // the last token of the prompt predicts the first of the response
                let own = self.tokens.len() - read.len()..self.tokens.len();
                self.rows.push(begins + prompt.len() - 1);
                self.rows.extend(own);
                length = prompt.len() + read.len();
                let after = shared.map_or(start..start, |begins| begins..begins + prompt.len());
                span = Some(Span { after, rows: start..self.tokens.len() });
            }
        }
        self.pairs.push(first..self.rows.len());
        self.lengths.push(length);
        span
    }

    /// Packs prompts alone: one row each, after its last token.
    pub(crate) fn prompts<'a>(prompts: impl IntoIterator<Item = Before<'a>>) -> Self {
        // what a response of one token would need, whatever the token
        let mut packed = Self::nothing();
        let spans: Vec<_> =
            prompts.into_iter().filter_map(|prompt| packed.push(prompt, &[0], None)).collect();
        Self { spans: spans.into(), ..packed }
    }

    /// What the model reads, all sequences in order.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// The images that are shown, at the rows of their first tokens.
    pub fn sights(&self) -> &[Sight] {
        &self.sights
    }

    /// Which tokens attend to which.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    pub(crate) fn shared_spans(&self) -> Spans {
        self.spans.clone()
    }

    /// The positions whose next token is asked for, in order.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// For each pair, the rows of its response: as many as the response has tokens.
    pub fn pairs(&self) -> &[Range<usize>] {
        &self.pairs
    }

    /// The longest sequence, in tokens read.
    pub fn longest(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(0)
    }

    /// Checks that a model with so many positions can read the batch.
    pub(crate) fn check(&self, positions: usize) -> Result<()> {
        if let Some(pair) = self.without_prompt {
            return Err(Error::call(format!("pair {pair} of the batch has an empty prompt"))
                .next("begin the prompt with the model's beginning-of-text token, at least"));
        }
        match self.lengths.iter().position(|&length| length > positions) {
            None => Ok(()),
            Some(pair) => Err(Error::call(format!(
                "pair {pair} of the batch has {} tokens, but the model has only {positions} positions",
                self.lengths[pair]
            ))
            .next("shorten the prompt or lower the longest response")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_predict_the_response_and_nothing_else() {
        let packed = Packed::of([(&[1, 2, 3][..], &[4, 5][..]), (&[6][..], &[][..]), (&[7][..], &[8][..])]);
        assert_eq!(packed.tokens(), [1, 2, 3, 4, 7]);
        assert_eq!(packed.spans(), [Span::alone(0..4), Span::alone(4..5)]);
        assert_eq!(packed.rows(), [2, 3, 4]);
        assert_eq!(packed.pairs(), [0..2, 2..2, 2..3]);
        assert!(packed.check(4).is_ok());
        let long = packed.check(3).unwrap_err().to_string();
        assert!(long.contains("4 tokens") && long.contains("3 positions"), "{long}");
    }

    #[test]
    fn a_prompt_that_is_answered_again_is_read_once() {
        let (prompt, other) = (&[1, 2, 3][..], &[9][..]);
        let pairs = [
            (other, &[8][..]),
            (prompt, &[4, 5][..]),
            (prompt, &[][..]),
            (prompt, &[6][..]),
            (prompt, &[7, 8, 9][..]),
        ];
        let packed = Packed::of(pairs);
        assert_eq!(packed.tokens(), [9, 1, 2, 3, 4, 7, 8]);
        let after = |rows| Span { after: 1..4, rows };
        let spans = [Span::alone(0..1), Span::alone(1..4), after(4..5), after(5..5), after(5..7)];
        assert_eq!(packed.spans(), spans);
        assert_eq!(packed.rows(), [0, 3, 4, 3, 3, 5, 6]);
        assert_eq!(packed.pairs(), [0..1, 1..3, 3..3, 3..4, 4..7]);
        assert_eq!((packed.longest(), packed.check(4).is_err()), (5, true));
        let alone = Before { tokens: prompt, sights: &[] };
        assert_eq!(Packed::prompts([alone, alone]).spans(), [Span::alone(0..3), Span::alone(3..6)]);
    }

    #[test]
    fn an_empty_prompt_is_refused_where_it_matters() {
        assert!(Packed::of([(&[][..], &[][..])]).check(9).is_ok());
        let error = Packed::of([(&[1][..], &[2][..]), (&[][..], &[2][..])]).check(9).unwrap_err();
        assert!(error.to_string().contains("pair 1"));
    }
}
