//! Whether a server's log-probabilities stand in the rows they belong to.

use super::dialect::{About, Ask, Said, Token};
use super::http::{Endpoint, Trouble};
use super::settings::Speaks;
use crate::world::tokenizer::Tokenizer;

/// So many tokens are said after each probe.
const SAID: usize = 8;
/// So much less likely than the likeliest may the likeliest be when it is read and not said: kernels differ.
const NEAR: f64 = 0.1;

/// What the self-test saw: for each probe the tokens that were said, and how they were scored.
type Seen = Vec<(Vec<u32>, Vec<Said>)>;

/// Lets the server go on greedily after each probe, and score what it said: each of these tokens must be the
/// likeliest of its own row. The number of tokens looked at.
pub(super) fn self_test(
    endpoint: &Endpoint,
    about: &About,
    probes: &[Vec<u32>],
    top: usize,
) -> Result<usize, Trouble> {
    let mut seen = Seen::new();
    for probe in probes {
        let (path, body) = about.go_on(probe, SAID);
        let said = about.went_on(probe, &endpoint.post(path, &body)?).map_err(Trouble::bad_answer)?;
        let ask = Ask { tokens: [&probe[..], &said].concat(), start: probe.len() };
        if !said.is_empty() && about.can_say(&ask) {
            let scores = score(endpoint, about, &ask, top.max(1))?;
            seen.push((said, scores));
        }
    }
    let looked_at = seen.iter().map(|(said, _)| said.len()).sum();
    if looked_at < 2 {
        let what = "it said nothing that could be scored after the first prompts of the data, so that nobody can tell whether its log-probabilities stand in the right rows";
        return Err(Trouble::Lasting(what.to_string()));
    }
    match misplaced(&seen, &about.tokenizer) {
        None => Ok(looked_at),
        Some(what) => Err(Trouble::Lasting(what + advice(about))),
    }
}

/// Asks for the scores of one sequence.
pub(super) fn score(endpoint: &Endpoint, about: &About, ask: &Ask, top: usize) -> Result<Vec<Said>, Trouble> {
    let (path, body) = about.score(ask, top);
    about.scores(ask, top, &endpoint.post(path, &body)?).map_err(Trouble::bad_answer)
}

fn advice(about: &About) -> &'static str {
    match about.speaks {
        Speaks::LlamaCpp => "; for llama.cpp without a beginning-of-text token set `prepend_bos: true`",
        Speaks::Vllm | Speaks::Sglang => "; use another version of the server, or another server",
    }
}

/// In which way the log-probabilities do not belong to their tokens, if they do not.
fn misplaced(seen: &Seen, tokenizer: &Tokenizer) -> Option<String> {
    let (mut all, mut wrong, mut late, mut early, mut inner) = (0, 0, 0, 0, 0);
    for (tokens, rows) in seen {
        for (t, row) in rows.iter().enumerate() {
            let Some((best, x)) = row.likeliest.first() else { continue };
            all += 1;
            wrong += usize::from(row.log_prob < x - NEAR);
            let is = |at: Option<usize>| {
                at.and_then(|at| tokens.get(at)).is_some_and(|&id| names(best, id, tokenizer))
            };
            if t > 0 && t + 1 < tokens.len() {
                inner += 1;
                late += usize::from(is(Some(t + 1)));
                early += usize::from(is(t.checked_sub(1)));
            }
        }
    }
    if wrong == 0 {
        return None;
    }
    let of = format!("of {all} tokens it said greedily, {wrong} are not the likeliest of their own rows");
    let most = |n: usize| inner > 1 && 10 * n >= 9 * inner;
    Some(match (most(late), most(early)) {
        (true, false) => format!(
            "its log-probabilities are shifted by one row: each is of the row after its token's ({of})"
        ),
        (false, true) => format!(
            "its log-probabilities are shifted by one row: each is of the row before its token's ({of})"
        ),
        _ => format!("its log-probabilities do not belong to the tokens they are given for: {of}"),
    })
}

fn names(token: &Token, id: u32, tokenizer: &Tokenizer) -> bool {
    match token {
        Token::Id(other) => *other == id,
        Token::Text(text) => *text == tokenizer.spell(&[id]) || text.trim() == tokenizer.spell(&[id]).trim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows whose likeliest tokens are these, for tokens that are as likely where they are meant to be.
    fn seen(tokens: &[u32], best: &[u32]) -> Seen {
        let row = |(&token, &best): (&u32, &u32)| Said {
            log_prob: if token == best { -0.1 } else { -3.0 },
            likeliest: vec![(Token::Id(best), -0.1)],
            text: None,
        };
        vec![(tokens.to_vec(), tokens.iter().zip(best).map(row).collect())]
    }

    #[test]
    fn rows_that_are_shifted_are_told_from_rows_that_are_wrong() {
        let tokenizer = Tokenizer::tasks().unwrap();
        let said =
            |tokens: &[u32], best: &[u32]| misplaced(&seen(tokens, best), &tokenizer).unwrap_or_default();
        let tokens = [3, 4, 5, 6, 7, 8];
        assert_eq!(said(&tokens, &tokens), "");
        assert!(said(&tokens, &[4, 5, 6, 7, 8, 9]).contains("shifted by one row: each is of the row after"));
        assert!(said(&tokens, &[9, 3, 4, 5, 6, 7]).contains("shifted by one row: each is of the row before"));
        assert!(said(&tokens, &[3, 9, 5, 9, 7, 8]).contains("do not belong"));
    }
}
