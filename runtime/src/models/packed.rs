//! Prompts and responses, one after the other without padding, and where the model is to speak.

use crate::error::{Error, Result};
use crate::kernels::attention::Spans;
use std::ops::Range;

/// A batch of sequences. Row r of the model's answer is its distribution over the r-th wanted token.
#[derive(Clone, Debug)]
pub struct Packed {
    tokens: Vec<u32>,
    spans: Spans,
    rows: Vec<usize>,
    pairs: Vec<Range<usize>>,
    without_prompt: Option<usize>,
}

impl Packed {
    /// Packs pairs of prompt and response. **The one place where the next-token shift happens**: the model
    /// reads `prompt ++ response[..len - 1]`, and the rows asked for are the `len` positions that predict
    /// `response[0..len]`. A pair with an empty response adds no rows. An empty prompt before a response
    /// leaves nothing to predict its first token from: every pass over the batch will refuse it.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a [u32], &'a [u32])>) -> Self {
        let (mut tokens, mut spans, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        let (mut ranges, mut without_prompt) = (Vec::new(), None);
        for (pair, (prompt, response)) in pairs.into_iter().enumerate() {
            let (start, first) = (tokens.len(), rows.len());
            if let [read @ .., _] = response {
                if prompt.is_empty() {
                    without_prompt.get_or_insert(pair);
                } else {
                    tokens.extend_from_slice(prompt);
                    tokens.extend_from_slice(read);
                    rows.extend(start + prompt.len() - 1..tokens.len());
                }
            }
            spans.push(start..tokens.len());
            ranges.push(first..rows.len());
        }
        Self { tokens, spans: spans.into(), rows, pairs: ranges, without_prompt }
    }

    /// Packs prompts alone: one row each, after its last token.
    pub(crate) fn prompts<'a>(prompts: impl IntoIterator<Item = &'a [u32]>) -> Self {
        // what a response of one token would need, whatever the token
        Self::of(prompts.into_iter().map(|prompt| (prompt, &[0][..])))
    }

    /// What the model reads, all sequences in order.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Where each sequence lies in the tokens, one span a pair.
    pub fn spans(&self) -> &[Range<usize>] {
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
        self.spans.iter().map(|span| span.len()).max().unwrap_or(0)
    }

    /// Checks that a model with so many positions can read the batch.
    pub(crate) fn check(&self, positions: usize) -> Result<()> {
        if let Some(pair) = self.without_prompt {
            return Err(Error::call(format!("pair {pair} of the batch has an empty prompt"))
                .next("begin the prompt with the model's beginning-of-text token, at least"));
        }
        match self.spans.iter().position(|span| span.len() > positions) {
            None => Ok(()),
            Some(pair) => Err(Error::call(format!(
                "pair {pair} of the batch has {} tokens, but the model has only {positions} positions",
                self.spans[pair].len()
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
        assert_eq!(packed.spans(), [0..4, 4..4, 4..5]);
        assert_eq!(packed.rows(), [2, 3, 4]);
        assert_eq!(packed.pairs(), [0..2, 2..2, 2..3]);
        assert!(packed.check(4).is_ok());
        let long = packed.check(3).unwrap_err().to_string();
        assert!(long.contains("4 tokens") && long.contains("3 positions"), "{long}");
    }

    #[test]
    fn an_empty_prompt_is_refused_where_it_matters() {
        assert!(Packed::of([(&[][..], &[][..])]).check(9).is_ok());
        let error = Packed::of([(&[1][..], &[2][..]), (&[][..], &[2][..])]).check(9).unwrap_err();
        assert!(error.to_string().contains("pair 1"));
    }
}
