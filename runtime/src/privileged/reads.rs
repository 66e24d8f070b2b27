//! What a teacher reads beyond the prompt, and what must be known for it.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::Privileged;
use crate::batch::{Prompt, Response, Rollouts};
use crate::capability::{Judged, Judgement};
use crate::models::Picture;

/// What there is to read for one response.
#[derive(Clone, Debug)]
pub enum Found {
    /// This.
    Text(Privileged<String>),
    /// This instead of the prompt (in a chat: instead of the last user turn).
    Instead(Privileged<String>),
    /// These images instead of the prompt's.
    Shown(Privileged<Vec<Arc<Picture>>>),
    /// Nothing more than the prompt, and it is heard all the same.
    Prompt,
    /// Nothing for this response, and that is in order: it is left out of the loss.
    Nothing,
    /// Nothing, and there should be: the data lacks this column.
    Missing(&'static str),
    /// The row's column does not say what it should: which, and what it should say.
    Unfit(&'static str, &'static str),
}

/// What a teacher reads beyond the prompt: a type of this module, or one of the user's.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not something a teacher can read",
    label = "not a privileged input",
    note = "teachers can read: StepHints, ReferenceAnswer, SiblingSuccess, Feedback, SuccessOrFeedback, Experience, Boxes, Evidence, Caption, BoxesAndCaption, NoHints, Pixelated, or a type of yours with `impl Reads`"
)]
pub trait Reads: Clone + fmt::Debug + 'static {
    /// What it looks at: [`RowAlone`], or [`Outcomes`] as well.
    type Needs;

    /// What there is to read for one response.
    fn find(&self, known: &Known<'_, Self::Needs>) -> Found;
}

/// The prompt's data row and the response itself are enough.
#[derive(Clone, Copy, Debug)]
pub enum RowAlone {}

/// It must also be known which responses of the group were right.
#[derive(Clone, Copy, Debug)]
pub enum Outcomes {}

/// A judgement under which what a teacher reads can be found.
#[diagnostic::on_unimplemented(
    message = "a teacher reads what the outcomes decide, and nothing before it says which rollouts were right",
    label = "its teacher needs outcomes",
    note = "add a `verify` stage, for example `verify: TaskAnswer`, or let the teacher read something else"
)]
pub trait Gives<N>: Judgement {}

impl<J: Judgement> Gives<RowAlone> for J {}
impl Gives<Outcomes> for Judged {}

/// What is known about one response and its prompt, all of it closed away. `N` says whether that
/// includes the outcomes of its group.
pub struct Known<'a, N = RowAlone> {
    prompt: &'a Prompt,
    response: &'a Response,
    success: Option<&'a str>,
    needs: PhantomData<N>,
}

impl<'a, N> Known<'a, N> {
    /// What is known about response `i`.
    pub fn of<J: Gives<N>>(rollouts: &'a Rollouts<J>, i: usize) -> Self {
        let response = &rollouts.responses_N[i];
        let mine = response.prompt;
        let sibling = |&j: &usize| {
            j != i && rollouts.responses_N[j].prompt == mine && rollouts.judgement.outcome(j) == Some(true)
        };
        let success =
            (0..rollouts.responses_N.len()).find(sibling).map(|j| &rollouts.responses_N[j].text[..]);
        Self { prompt: &rollouts.prompts_P[mine], response, success, needs: PhantomData }
    }

    /// A column of the prompt's data row.
    pub fn column(&self, name: &str) -> Option<Privileged<String>> {
        let filled = self.prompt.row.columns.get(name).filter(|text| !text.is_empty());
        filled.map(|text| Privileged::new(text.clone()))
    }

    /// Whether the prompt shows images.
    pub fn shows(&self) -> bool {
        !self.prompt.row.images.is_empty()
    }

    /// The images of the prompt, seen only as squares of one colour, four of them to the longer side.
    pub fn coarse(&self) -> Option<Privileged<Vec<Arc<Picture>>>> {
        let pictures = self.prompt.row.images.pictures().ok().filter(|pictures| !pictures.is_empty())?;
        let coarse = |picture: &Arc<Picture>| {
            Arc::new(picture.pixelated(picture.width().max(picture.height()).div_ceil(COARSE)))
        };
        Some(Privileged::new(pictures.iter().map(coarse).collect()))
    }

    /// The images of the prompt, of the first only what lies in the box that this column names:
    /// `[left, top, right, bottom]` in pixels; `None` where it names none.
    pub fn cut_out(&self, name: &str) -> Option<Privileged<Vec<Arc<Picture>>>> {
        let edges: [f64; 4] = serde_json::from_str(self.prompt.row.columns.get(name)?).ok()?;
        let pictures = self.prompt.row.images.pictures().ok()?;
        let (first, rest) = pictures.split_first()?;
        // a box of fractions of pixels is widened to whole ones
        let [left, top] = [edges[0], edges[1]].map(|edge| edge.floor().max(0.0) as u32);
        let [right, bottom] = [edges[2], edges[3]].map(|edge| edge.ceil().max(0.0) as u32);
        let cut = Arc::new(first.crop([left, top, right, bottom])?);
        Some(Privileged::new(std::iter::once(cut).chain(rest.iter().cloned()).collect()))
    }

    /// The worked reference answer, or the bare answer when there is none.
    pub fn reference(&self) -> Option<Privileged<String>> {
        let row = &self.prompt.row;
        row.reference.as_ref().or(row.answer.as_ref()).map(|text| Privileged::new(text.clone()))
    }

    /// What the environment says: its word about this very response, or else the column `feedback`.
    pub fn feedback(&self) -> Option<Privileged<String>> {
        let Response { tokens_T, text, finished, .. } = self.response;
        // of a prompt that nobody has answered yet there is nothing to say
        let answered = !tokens_T.is_empty();
        let said = answered.then(|| self.prompt.verifier.feedback(&self.prompt.row, text, *finished));
        said.flatten()
            .filter(|text| !text.is_empty())
            .map(Privileged::new)
            .or_else(|| self.column("feedback"))
    }
}

impl Known<'_, Outcomes> {
    /// Another response to the same prompt that was right; never the response itself.
    pub fn sibling_success(&self) -> Option<Privileged<String>> {
        self.success.map(|text| Privileged::new(text.to_string()))
    }
}

/// Squares to the longer side of an image that [`Pixelated`] shows.
pub const COARSE: u32 = 4;

/// Nothing beyond the prompt.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

macro_rules! readable {
    ($($(#[$doc:meta])* $name:ident, $needs:ident, $known:ident => $find:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Reads for $name {
                type Needs = $needs;

                fn find(&self, $known: &Known<'_, $needs>) -> Found {
                    $find
                }
            }
        )*
    };
}

readable! {
    /// Hints that lead through the steps without the answer: the column `hints`.
    StepHints, RowAlone, known => column(known, "hints");
    /// The reference answer: the column `reference`, or `answer`.
    ReferenceAnswer, RowAlone, known => known.reference().map_or(Found::Missing("reference"), Found::Text);
    /// Another response of the group that was right; responses without one are left out of the loss.
    SiblingSuccess, Outcomes, known => known.sibling_success().map_or(Found::Nothing, Found::Text);
    /// What the environment said of this response: the verifier's own word, or else the column
    /// `feedback`; responses without are left out of the loss.
    Feedback, RowAlone, known => known.feedback().map_or(Found::Nothing, Found::Text);
    /// Another response of the group that was right, or else what the environment said of this one;
    /// responses without either are left out of the loss.
    SuccessOrFeedback, Outcomes, known =>
        known.sibling_success().or_else(|| known.feedback()).map_or(Found::Nothing, Found::Text);
    /// What was learnt before: accumulated experience or an optimised system prompt, the column `experience`.
    Experience, RowAlone, known => column(known, "experience");
    /// Boxes with their labels, as text: the column `boxes`.
    Boxes, RowAlone, known => column(known, "boxes");
    /// The region of evidence: the column `evidence`. Of a prompt with images it is a box in the first,
    /// `[left, top, right, bottom]` in pixels, and what lies in it is shown instead of the whole; otherwise text.
    Evidence, RowAlone, known => match (known.shows(), known.cut_out("evidence")) {
        (false, _) => column(known, "evidence"),
        (true, Some(cut)) => Found::Shown(cut),
        (true, None) if known.column("evidence").is_none() => Found::Missing("evidence"),
        (true, None) => Found::Unfit("evidence", "[left, top, right, bottom] in pixels, inside the first image"),
    };
    /// What the image shows, in words: the column `caption`.
    Caption, RowAlone, known => column(known, "caption");
    /// Boxes with their labels and what the image shows in words, one after the other: the columns `boxes` and `caption`.
    BoxesAndCaption, RowAlone, known => match (known.column("boxes"), known.column("caption")) {
        (Some(boxes), Some(caption)) => Found::Text(boxes.and(caption)),
        (None, _) => Found::Missing("boxes"),
        (_, None) => Found::Missing("caption"),
    };
    /// Nothing but the prompt: what an ablation puts in the place of hints, so that it is said in words.
    NoHints, RowAlone, _known => Found::Prompt;
    /// A poorer view of the prompt: its images in a few squares of one colour; of a prompt without images the column
    /// `pixelated`, read instead of it.
    Pixelated, RowAlone, known => match known.coarse() {
        Some(coarse) => Found::Shown(coarse),
        None => known.column("pixelated").map_or(Found::Missing("pixelated"), Found::Instead),
    };
}

/// What shows less than the prompt does: a teacher that reads it is heard only for what it misses.
#[diagnostic::on_unimplemented(
    message = "the second reading is to see less than the prompt, and `{Self}` shows more",
    label = "needs a poorer view",
    note = "let the second teacher read `Pixelated`, or a type of yours with `impl Poorer`"
)]
pub trait Poorer: Reads {}

impl Poorer for Pixelated {}

fn column(known: &Known<'_>, name: &'static str) -> Found {
    known.column(name).map_or(Found::Missing(name), Found::Text)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::batch::Place;
    use crate::log::Metrics;
    use crate::world::rows::Row;
    use crate::world::verifier::for_domain;

    /// Three responses to one math task, then one to another; `feedback` is a column of both.
    fn group(said: [(&str, Option<bool>); 4], feedback: Option<&str>) -> Rollouts<Judged> {
        let prompt = |index, text: &str| {
            let mut row = Row { domain: "math".into(), ..Row::new(text) };
            row.columns.extend(feedback.map(|text| ("feedback".to_string(), text.to_string())));
            Arc::new(Prompt {
                index,
                tokens: vec![1],
                text: text.into(),
                reference: None,
                row,
                verifier: for_domain("math"),
                sights: Vec::new(),
                placement: Arc::default(),
            })
        };
        let response = |(i, (text, _)): (usize, &(&str, Option<bool>))| Response {
            prompt: i / 3,
            tokens_T: vec![2],
            text: (*text).into(),
            log_probs_T: Vec::new(),
            finished: true,
        };
        Rollouts {
            place: Place { seed: 0, step: 0 },
            prompts_P: vec![prompt(0, "^m43*9-6>"), prompt(1, "^m10+5>")],
            responses_N: said.iter().enumerate().map(response).collect(),
            judgement: Judged { outcomes_N: said.map(|(_, outcome)| outcome).to_vec() },
            kept_N: vec![true; 4],
            ledger: Metrics::default(),
        }
    }

    fn text(found: Found) -> Option<String> {
        match found {
            Found::Text(known) | Found::Instead(known) => Some(known.0),
            Found::Nothing => None,
            Found::Missing(column) | Found::Unfit(column, _) => panic!("{column} is missing"),
            Found::Shown(_) => panic!("images"),
            Found::Prompt => panic!("nothing but the prompt"),
        }
    }

    fn all<P: Reads>(reads: P, rollouts: &Rollouts<Judged>) -> Vec<Option<String>>
    where
        Judged: Gives<P::Needs>,
    {
        (0..4).map(|i| text(reads.find(&Known::of(rollouts, i)))).collect()
    }

    #[test]
    fn a_success_is_anothers_and_of_the_same_prompt() {
        let rollouts =
            group([("=81", Some(true)), ("=80", Some(false)), ("x", None), ("=15", Some(true))], None);
        let mine = |text: &str| Some(text.to_string());
        assert_eq!(all(SiblingSuccess, &rollouts), [None, mine("=81"), mine("=81"), None]);
        let rollouts = group([("=81", Some(true)), ("a=81", Some(true)), ("x", None), ("y", None)], None);
        assert_eq!(all(SiblingSuccess, &rollouts), [mine("a=81"), mine("=81"), mine("=81"), None]);
    }

    #[test]
    fn feedback_is_of_this_response_before_it_is_of_the_row() {
        let said = [("=81", Some(true)), ("=80", Some(false)), ("=8", Some(false)), ("=1", Some(false))];
        let mine = |text: &str| Some(text.to_string());
        assert_eq!(all(Feedback, &group(said, None)), [None, mine("87"), mine("87"), None]);
        let row = mine("look again");
        let found = all(Feedback, &group(said, Some("look again")));
        assert_eq!(found, [row.clone(), mine("87"), mine("87"), row]);
    }

    #[test]
    fn a_success_comes_before_feedback() {
        let said = [("=81", Some(true)), ("=80", Some(false)), ("=8", Some(false)), ("=1", Some(false))];
        let mine = |text: &str| Some(text.to_string());
        assert_eq!(all(SuccessOrFeedback, &group(said, None)), [None, mine("=81"), mine("=81"), None]);
        let said = [("=8", Some(false)), ("=80", Some(false)), ("=8", None), ("=15", Some(true))];
        let found = all(SuccessOrFeedback, &group(said, None));
        assert_eq!(found, [mine("87"), mine("87"), mine("87"), None], "never its own success");
    }
}
