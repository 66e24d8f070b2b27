//! How good student and teachers are on held-out prompts before a run, how good the student is after it, and what it said.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::directory::RunDirectory;
use super::evaluate::{evaluate, Answer, Evaluation};
use super::ready::asked;
use super::state::{side, Run};
use crate::error::Result;
use crate::log::{shown, Accuracy, Answered, Answers, Said, Table};
use crate::plan::Plan;
use crate::tensor::Device;
use crate::world::rows::Row;
use crate::world::{FromFiles, Policy, World};

const BEFORE: &str = "before.json";
pub(super) const AFTER: &str = "after.json";

/// Prompts that the report shows where the answer became right, became wrong, stayed wrong and stayed right.
const TURNS: [(bool, bool, usize); 4] =
    [(false, true, 6), (true, false, 2), (false, false, 2), (true, true, 2)];

type ByDomain = BTreeMap<String, Accuracy>;

/// How good the student and its teachers were before the run; kept for a resumed run.
#[derive(Serialize, Deserialize)]
pub(super) struct Before {
    student: ByDomain,
    teachers: Vec<(String, ByDomain)>,
    /// Prompt, response, and whether it was right.
    answers: Vec<(String, String, Option<bool>)>,
}

/// How good the student was after the run; kept for who asks again.
#[derive(Serialize, Deserialize)]
pub(super) struct After {
    pub accuracy: ByDomain,
    /// Which prompt, response, and whether it was right.
    #[serde(default)]
    answers: Vec<(usize, String, Option<bool>)>,
}

/// The student and its teachers before the first step, as the run directory keeps it or found now.
///
/// # Errors
/// A policy whose numbers are not finite, a prompt that does not fit.
pub(super) fn look_before<D: Device>(plan: &Plan, run: &Run, world: &FromFiles<D>) -> Result<Option<Before>> {
    let Some(held_out) = &run.held_out else { return Ok(None) };
    if let Some(known) = run.recall(BEFORE)? {
        return Ok(Some(known));
    }
    let (student, answers) = look(run, held_out, world.student(), |_| true, "student before")?;
    let mut teachers = Vec::new();
    let experts: Vec<&str> = plan.from_folders().collect();
    for (name, policy) in world.teachers().filter(|(name, _)| experts.contains(name)) {
        let found = look(run, held_out, policy, |row| asked(policy, row), &titled(name))?.0;
        teachers.push((name.to_string(), found));
    }
    let answers = answers.into_iter().map(|a| (a.prompt, a.response, a.correct)).collect();
    let before = Before { student, teachers, answers };
    run.keep(BEFORE, &before)?;
    Ok(Some(before))
}

/// The student after the last step.
///
/// # Errors
/// A student whose numbers are not finite.
pub(super) fn look_after<D: Device>(
    run: &Run,
    held_out: &Arc<Evaluation>,
    world: &FromFiles<D>,
) -> Result<After> {
    let (accuracy, answers) = look(run, held_out, world.student(), |_| true, "student after")?;
    let answers = answers.into_iter().map(|a| (a.row, a.response, a.correct)).collect();
    Ok(After { accuracy, answers })
}

fn look<D: Device>(
    run: &Run,
    held_out: &Arc<Evaluation>,
    policy: &Policy<D>,
    asked: impl Fn(&Row) -> bool,
    title: &str,
) -> Result<(ByDomain, Vec<Answer>)> {
    let count = held_out.rows.iter().filter(|row| asked(row)).count();
    let side = side(&run.progress, &format!("evaluating {title}"), count);
    let mut found = ByDomain::new();
    let mut answers = Vec::new();
    evaluate(
        policy,
        held_out,
        asked,
        run.seed,
        |domain, answer| {
            found.entry(domain.to_string()).or_default().count(answer.correct);
            answers.push(answer);
        },
        |done| side.inc(done as u64),
    )?;
    Ok((found, answers))
}

/// A teacher as people call it.
fn titled(name: &str) -> String {
    if name == "teacher" {
        name.to_string()
    } else {
        format!("teacher {name}")
    }
}

/// The table of a run that is over, or has begun: what it keeps of accuracy before and after.
///
/// # Errors
/// A file that is damaged.
pub(super) fn outcome(directory: &RunDirectory) -> Result<Option<Table>> {
    let Some(before) = directory.recall::<Before>(BEFORE)? else { return Ok(None) };
    Ok(Some(match directory.recall::<After>(AFTER)? {
        Some(after) => table(&before, &after.accuracy),
        None => {
            let domains: Vec<String> = before.student.keys().cloned().collect();
            let mut table = Table::new(domains.clone());
            table.row("student before", &accuracies(&before.student, &domains));
            table
        }
    }))
}

fn accuracies(found: &ByDomain, domains: &[String]) -> Vec<Accuracy> {
    domains.iter().map(|domain| found.get(domain).copied().unwrap_or_default()).collect()
}

/// Who was how good, before and after.
pub(super) fn table(before: &Before, after: &ByDomain) -> Table {
    let domains: Vec<String> = after.keys().cloned().collect();
    let mut table = Table::new(domains.clone());
    table.row("student before", &accuracies(&before.student, &domains));
    table.row_against("student after", &accuracies(after, &domains), "student before");
    for (name, found) in &before.teachers {
        table.row(titled(name), &accuracies(found, &domains));
    }
    table
}

type Turn<'a> = (&'a (String, String, Option<bool>), &'a (usize, String, Option<bool>));

/// What was said before and after, where both were judged and turned out so.
fn turned<'a>(before: &'a Before, after: &'a After, then: bool, now: bool) -> impl Iterator<Item = Turn<'a>> {
    let turn = move |(b, a): &Turn<'_>| b.2 == Some(then) && a.2 == Some(now);
    before.answers.iter().zip(&after.answers).filter(turn)
}

/// One prompt that was wrong before and right after: prompt, before, after.
pub(super) fn example(before: &Before, after: &After) -> Option<(String, String, String)> {
    let (then, now) = turned(before, after, false, true).next()?;
    Some((then.0.clone(), then.1.clone(), now.1.clone()))
}

/// What the report shows of held-out prompts: some of each kind, evenly over all of them, with their images.
///
/// # Errors
/// Images that nobody has read.
pub(super) fn answers(before: &Before, after: &After, held_out: &Evaluation) -> Result<Answers> {
    let mut found = Answers::default();
    for (then, now, most) in TURNS {
        let all: Vec<Turn<'_>> = turned(before, after, then, now).collect();
        found.counts[usize::from(then)][usize::from(now)] = all.len();
        let shows = most.min(all.len());
        for (b, a) in (0..shows).map(|i| all[i * all.len() / shows]) {
            let Some(row) = held_out.rows.get(a.0) else { continue };
            found.some.push(Answered {
                prompt: b.0.clone(),
                images: shown(row, row.images.pictures()?.iter().map(|picture| &**picture)),
                domain: row.domain.clone(),
                answer: row.answer.clone(),
                before: Said { text: b.1.clone(), correct: then },
                after: Said { text: a.1.clone(), correct: now },
            });
        }
    }
    Ok(found)
}
