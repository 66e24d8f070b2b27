//! The loop as lines: which there are, what each says, and where rustc points when one does not fit.

mod teachers;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::comments;
use crate::model::{Recipe, Stage};
use crate::stage::{Absent, StageName};

/// A statement or two of the loop under one comment.
pub struct Line {
    pub comment: Option<String>,
    pub tokens: TokenStream,
}

/// The loop of a recipe: what `train` does, and what `replay` does with recorded rollouts; and what
/// each teacher reads before it answers for a token.
pub struct Loop {
    pub setup: Vec<Line>,
    pub body: Vec<Line>,
    pub finish: Line,
    pub replay: Vec<Line>,
    pub readings: Vec<Line>,
}

impl Loop {
    /// Plans the loop of a recipe in which every rule holds.
    pub fn new(recipe: &Recipe) -> Self {
        let seated = teachers::value(recipe);
        Self {
            setup: setup(recipe, seated.clone()),
            body: body(recipe),
            finish: silent(quote!(log.finish(world))),
            replay: replay(recipe, seated.clone()),
            readings: vec![silent(seated), silent(teachers::readings(recipe))],
        }
    }
}

fn silent(tokens: TokenStream) -> Line {
    Line { comment: None, tokens }
}

/// A line of the step loop, under its comment.
fn said(recipe: &Recipe, stage: StageName, tokens: TokenStream) -> Line {
    Line { comment: Some(comments::stage(recipe, stage)), tokens }
}

/// Where the stage's method stands, or the macro's own place if it is left out.
fn place(recipe: &Recipe, stage: StageName) -> Span {
    recipe.stage(stage).map_or_else(Span::call_site, |stage| stage.method.span())
}

fn setup(recipe: &Recipe, seated: TokenStream) -> Vec<Line> {
    let data = place(recipe, StageName::Data);
    let step = place(recipe, StageName::Step);
    let log = place(recipe, StageName::Log);
    let resume = place(recipe, StageName::Checkpoint);
    vec![
        Line { comment: Some(comments::teachers(recipe)), tokens: seated },
        silent(quote_spanned!(data=> let mut data = self.data.open(run, world)?;)),
        silent(quote_spanned!(step=> let mut step = self.step.open(run, world)?;)),
        silent(match recipe.stage(StageName::Log) {
            Some(_) => quote_spanned!(log=> let mut log = self.log.open(run, self)?;),
            None => quote_spanned!(log=> let mut log = Log::open(run, self)?;),
        }),
        silent(match recipe.stage(StageName::Checkpoint) {
            Some(_) => quote_spanned! {resume=>
                let start = self.checkpoint.resume(run, &mut data, &mut step, world, &mut log)?;
            },
            None => quote_spanned!(resume=> let start = run.resume(&mut data, &mut step, world, &mut log)?;),
        }),
    ]
}

fn body(recipe: &Recipe) -> Vec<Line> {
    StageName::ALL
        .into_iter()
        .filter_map(|stage| Some(said(recipe, stage, in_the_loop(recipe, stage)?)))
        .collect()
}

/// What a stage does once a step; `None` if it is left out and leaves no line.
fn in_the_loop(recipe: &Recipe, stage: StageName) -> Option<TokenStream> {
    let at = place(recipe, stage);
    let declared = recipe.stage(stage).is_some();
    Some(match stage {
        StageName::Data => quote_spanned!(at=> let prompts = data.draw(run.batch)?;),
        StageName::Rollout => quote_spanned!(at=> let rollouts = self.rollout.sample(world, prompts)?;),
        StageName::Verify if declared => quote_spanned!(at=> let rollouts = self.verify.judge(rollouts)?;),
        StageName::Score => quote_spanned!(at=> let scored = self.score.score(world, &teachers, rollouts)?;),
        StageName::Balance | StageName::Calibrate | StageName::Route => return between(recipe, stage),
        StageName::Loss => quote_spanned! {at=>
            let mut grads = world.student().zero_grads()?;
            for micro in routed.chunks(run.micro_batch) {
                grads = self.loss.backward(world, &micro, grads, &mut log)?;
            }
        },
        StageName::Step => quote_spanned!(at=> step.apply(world, grads, &mut log)?;),
        StageName::Log => quote_spanned!(at=> log.step(it, &routed, world)?;),
        StageName::Checkpoint if declared => quote_spanned! {at=>
            if run.due(it) {
                self.checkpoint.save(run, it, &data, &step, world, &mut log)?;
            }
        },
        StageName::Checkpoint => quote_spanned! {at=>
            if run.due(it) {
                run.save(it, &data, &step, world, &mut log)?;
            }
        },
        StageName::Verify => return None,
    })
}

/// The stages that training and replay run in the very same words.
fn between(recipe: &Recipe, stage: StageName) -> Option<TokenStream> {
    let at = place(recipe, stage);
    let declared = recipe.stage(stage).is_some();
    match stage {
        StageName::Balance if declared => {
            Some(quote_spanned!(at=> let rollouts = self.balance.keep(rollouts)?;))
        }
        StageName::Calibrate if declared => {
            Some(quote_spanned!(at=> let scored = self.calibrate.adjust(scored)?;))
        }
        StageName::Route if declared => Some(quote_spanned!(at=> let routed = self.route.route(scored)?;)),
        StageName::Route => Some(quote_spanned!(at=> let routed = Routed::all(scored);)),
        _ => None,
    }
}

fn replay(recipe: &Recipe, seated: TokenStream) -> Vec<Line> {
    let judged = match recipe.stage(StageName::Verify) {
        Some(verify) => quote_spanned!(verify.method.span()=> let rollouts = recorded.judged()?;),
        None => quote!(let rollouts = recorded.unjudged()?;),
    };
    let score = place(recipe, StageName::Score);
    let score = quote_spanned!(score=> let scored = self.score.recall(&recorded, &teachers, rollouts)?;);
    let loss = place(recipe, StageName::Loss);
    let loss = quote_spanned!(loss=> self.loss.replay(&recorded, routed));
    [
        Some(seated),
        Some(judged),
        between(recipe, StageName::Balance),
        Some(score),
        between(recipe, StageName::Calibrate),
        between(recipe, StageName::Route),
        Some(loss),
    ]
    .into_iter()
    .flatten()
    .map(silent)
    .collect()
}

/// The method's name of a stage, or the default's.
pub fn method_of(recipe: &Recipe, stage: StageName) -> Option<String> {
    recipe.stage(stage).map(|stage: &Stage| stage.method.spelled()).or(match stage.absent() {
        Absent::Default(method) => Some(method.to_owned()),
        _ => None,
    })
}
