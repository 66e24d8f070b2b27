//! Whether rows, models and recipe fit together: what `check` tells, and `train` looks at before it
//! makes a run directory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::contexts::contexts_fit;
use super::judged::{judges_fit, Asked};
use super::prepare::{Prepared, RunData};
use super::state::prompt_of;
use crate::batch::Prompt;
use crate::entry::{AnyRecipe, Trains};
use crate::error::{Error, Result};
use crate::plan::{Plan, Teacher};
use crate::privileged::Placement;
use crate::tensor::Device;
use crate::world::rows::Row;
use crate::world::verifier::Judges;
use crate::world::{FromFiles, Policy, World};

/// So many rows that do not fit are told one by one.
pub(super) const TOLD: usize = 3;

/// Everything about the training rows that does not fit the recipe.
pub(super) fn rows_fit(prepared: &Prepared, rows: &[Row], name: &str) -> Vec<Error> {
    let mut wrong = domains_fit(&prepared.entry.plan, rows, name);
    if prepared.recipe.facts().reads_references {
        let lacking: Vec<usize> = (0..rows.len()).filter(|&i| rows[i].reference.is_none()).collect();
        if let Some(first) = lacking.first() {
            let what = format!("the row has no reference answer to imitate{}", more(lacking.len() - 1));
            wrong.push(Error::call(what).at(format!("{name}, row {}, column `reference`", first + 1)).next(
                "add the column, or choose a recipe in which the student answers by itself, such as `VanillaOpd`",
            ));
        }
    }
    wrong
}

/// Every domain of the data has its teacher, when teachers are chosen by domain.
fn domains_fit(plan: &Plan, rows: &[Row], name: &str) -> Vec<Error> {
    let taught = taught(plan);
    if taught.is_empty() {
        return Vec::new();
    }
    let mut untaught: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| !taught.contains(&row.domain)) {
        untaught.entry(&row.domain).or_default().push(index);
    }
    let tell = |(domain, rows): (&&str, &Vec<usize>)| {
        let what = if domain.is_empty() {
            format!("the row names no domain, and `{}` chooses the teacher by it", plan.name)
        } else {
            format!("nobody teaches the domain `{domain}`")
        };
        let place = format!("{name}, row {}, column `domain`", rows[0] + 1);
        Error::call(format!("{what}{}", more(rows.len() - 1))).at(place).next(format!(
            "the teachers of `{}` teach: {}",
            plan.name,
            taught.join(", ")
        ))
    };
    untaught.iter().map(tell).collect()
}

/// The domains that have a teacher of their own.
pub(super) fn taught(plan: &Plan) -> Vec<String> {
    plan.teachers.iter().filter_map(Teacher::domain_name).collect()
}

/// The rows that fit `policy` as prompts, and what is wrong with the others.
pub(super) fn prompts_fit<'a, D: Device>(
    rows: impl Iterator<Item = (usize, &'a Row)>,
    name: &str,
    policy: &Policy<D>,
    placement: &Arc<Placement>,
    judges: &Judges,
) -> (Vec<Arc<Prompt>>, Vec<Error>) {
    let (mut good, mut wrong, mut untold) = (Vec::new(), Vec::new(), 0);
    for (index, row) in rows {
        match prompt_of(index, row, name, policy, judges) {
            Ok(prompt) => good.push(Arc::new(Prompt { placement: Arc::clone(placement), ..prompt })),
            Err(why) if wrong.len() < TOLD => wrong.push(why),
            Err(_) => untold += 1,
        }
    }
    if untold > 0 {
        wrong.push(Error::call(format!("{untold} more rows do not fit the model")).at(name));
    }
    (good, wrong)
}

/// Every teacher can read the longest prompt with the longest response.
pub(super) fn teachers_fit<D: Device>(
    prepared: &Prepared,
    world: &FromFiles<D>,
    prompts: &[Arc<Prompt>],
) -> Vec<Error> {
    let context = |policy: &Policy<D>| policy.decoder.config().max_position_embeddings;
    let students = context(world.student());
    let length = |prompt: &Arc<Prompt>| prompt.tokens.len() + longest_response(prepared, prompt, students);
    let longest = prompts.iter().map(length).max().unwrap_or(0);
    let narrow = world.servers().filter_map(|server| Some((server.seat(), server.room()?)));
    let narrow = narrow.filter(|(_, room)| *room < longest).map(|(seat, room)| {
        Error::call(format!(
            "the server of the teacher `{seat}` reads {room} tokens, and a prompt with its response can have {longest}"
        ))
        .at(format!("servers.{seat}"))
        .next("lower `rollout.max_response_tokens`, shorten the prompts, or let the server read more")
    });
    let blind = world.teachers().filter_map(|(name, policy)| blind(prepared, name, policy, prompts));
    let short = world.teachers().filter(|(_, policy)| context(policy) < longest);
    short
        .map(|(name, policy)| {
            Error::call(format!(
                "the teacher `{name}` reads {} tokens, and a prompt with its response can have {longest}",
                context(policy)
            ))
            .at(format!("teachers.{name}"))
            .next("lower `rollout.max_response_tokens`, shorten the prompts, or use a teacher with a longer context")
        })
        .chain(narrow)
        .chain(blind)
        .collect()
}

/// A teacher without eyes, and the first prompt for it that shows an image.
fn blind<D: Device>(
    prepared: &Prepared,
    name: &str,
    policy: &Policy<D>,
    prompts: &[Arc<Prompt>],
) -> Option<Error> {
    let domain = prepared.entry.plan.teachers.iter().find(|t| t.name == name).and_then(Teacher::domain_name);
    let theirs = |prompt: &&Arc<Prompt>| domain.as_deref().is_none_or(|domain| domain == prompt.domain());
    let shown = prompts.iter().filter(theirs).find(|prompt| !prompt.before().sights.is_empty())?;
    let row = shown.index + 1;
    (!policy.has_eyes()).then(|| {
        Error::call(format!("the teacher `{name}` has no eyes, and row {row} shows it an image"))
            .at(format!("teachers.{name}"))
            .next("give prompts with images to a teacher with a `vision_config`, by their domain")
    })
}

/// The longest response that a prompt can have: as long as the student may speak, or the reference.
pub(super) fn longest_response(prepared: &Prepared, prompt: &Prompt, students: usize) -> usize {
    let spoken = prepared.number("rollout", "max_response_tokens").filter(|&limit| limit > 0);
    let given = || prompt.reference.as_ref().map_or(0, Vec::len);
    spoken.unwrap_or_else(given).min(students.saturating_sub(prompt.tokens.len()))
}

/// All of it, before anything is written.
///
/// # Errors
/// Everything that does not fit.
pub(super) fn must_be_ready<D: Device>(
    prepared: &Prepared,
    data: &RunData,
    world: &FromFiles<D>,
) -> Result<()>
where
    dyn AnyRecipe: Trains<D>,
{
    let RunData { rows, name, held_out } = data;
    let mut wrong = rows_fit(prepared, rows, name);
    let (prompts, unfit) =
        prompts_fit(rows.iter().enumerate(), name, world.student(), &prepared.placement(), &prepared.judges);
    wrong.extend(unfit);
    wrong.extend(teachers_fit(prepared, world, &prompts));
    wrong.extend(contexts_fit(prepared, world, &prompts).1);
    let mut judged = vec![Asked { rows, name }];
    if let Some(held_out) = held_out {
        wrong.extend(held_out_fits(&held_out.rows, &held_out.name, world));
        judged.push(Asked { rows: &held_out.rows, name: &held_out.name });
    }
    wrong.extend(judges_fit(prepared, &judged).1);
    Error::together(wrong)
}

/// Everybody who is evaluated can read the held-out prompts.
pub(super) fn held_out_fits<D: Device>(rows: &[Row], name: &str, world: &FromFiles<D>) -> Vec<Error> {
    let (_, mut wrong) =
        prompts_fit(rows.iter().enumerate(), name, world.student(), &Arc::default(), &Judges::default());
    for (_, teacher) in world.teachers() {
        if !wrong.is_empty() {
            break;
        }
        let theirs = rows.iter().enumerate().filter(|(_, row)| asked(teacher, row));
        let (_, unfit) = prompts_fit(theirs, name, teacher, &Arc::default(), &Judges::default());
        let of = |why: Error| Error::call(format!("for the teacher `{}`: {why}", teacher.name));
        wrong = unfit.into_iter().map(of).collect();
    }
    wrong
}

/// Whether a teacher is evaluated on a held-out row: one of text beside one with eyes is for other rows.
pub(super) fn asked<D: Device>(teacher: &Policy<D>, row: &Row) -> bool {
    teacher.has_eyes() || row.images.is_empty()
}

fn more(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (and 1 more row)".to_string(),
        n => format!(" (and {n} more rows)"),
    }
}
