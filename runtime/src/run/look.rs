//! `limbeck check`: opens every file a run names and says all that is wrong at once.

use std::path::Path;

use super::contexts::{contexts_fit, plain, shown};
use super::drive::settled;
use super::estimate::estimate;
use super::file::Place;
use super::judged::{judges_fit, Asked};
use super::prepare::{Prepared, TrainOptions};
use super::ready::{held_out_fits, prompts_fit, rows_fit, teachers_fit};
use crate::entry::Entry;
use crate::error::{Error, Result};
use crate::models::Decoder;
use crate::tensor::{accelerator, Cpu, Device};
use crate::world::remote::Server;
use crate::world::rows::Row;
use crate::world::tokenizer::Tokenizer;
use crate::world::{FromFiles, World};

/// What was found: lines to print, and everything that is wrong.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is as it should be.
    pub good: Vec<String>,
    /// What is not.
    pub wrong: Vec<Error>,
}

impl Findings {
    fn take<T>(&mut self, found: Result<T>) -> Option<T> {
        found.map_err(|why| self.wrong.push(why)).ok()
    }
}

/// Looks at everything a run file names, without training.
pub fn check(entry: &Entry, options: &TrainOptions) -> Findings {
    let mut findings = Findings::default();
    let Some((prepared, wrong)) = findings.take(Prepared::examine(entry, options)) else { return findings };
    findings.wrong.extend(wrong);
    findings.good.push(format!(
        "{}: recipe {}, {} steps of {} prompts",
        prepared.name, entry.name, prepared.file.steps, prepared.file.batch
    ));
    let file = &prepared.file;
    // a look at the run is taken on the CPU; but the run's own device must be there
    if let Place::Cuda(ordinal) = file.device {
        findings.take(accelerator(ordinal, file.precision));
    }
    let (world, wrong) = FromFiles::open_all(&entry.plan, &file.student, &file.teachers, &Cpu::default());
    findings.wrong.extend(wrong);
    let mut world = world.and_then(|world| findings.take(settled(&prepared, world)));
    let asked = has_rows(file.data.as_deref(), file.has_built_in());
    let rows = asked.then(|| findings.take(prepared.rows())).flatten();
    if let (Some(world), Some((rows, _))) = (&mut world, &rows) {
        findings.wrong.extend(world.connect(&entry.plan, &file.servers, rows));
    }
    let world = world.as_ref();
    findings.good.extend(world.map(describe_world).unwrap_or_default());
    let mut judged = Vec::new();
    if let Some((rows, name)) = rows {
        check_rows(&prepared, &rows, &name, world, &mut findings);
        judged.push((rows, name));
    }
    let eval = file.eval.as_ref();
    if eval.is_some_and(|eval| has_rows(eval.data.as_deref(), eval.has_built_in()))
        && let Some(Some(held_out)) = findings.take(prepared.held_out())
    {
        findings.good.push(format!("{}: {} held-out rows", held_out.name, held_out.rows.len()));
        let unfit = world.map(|world| held_out_fits(&held_out.rows, &held_out.name, world));
        findings.wrong.extend(unfit.unwrap_or_default());
        judged.push((held_out.rows, held_out.name));
    }
    let judged: Vec<_> = judged.iter().map(|(rows, name)| Asked { rows, name }).collect();
    let (good, unfit) = judges_fit(&prepared, &judged);
    findings.good.extend(good);
    findings.wrong.extend(unfit);
    findings
}

/// Whether there is a source of rows, and only one; what is wrong otherwise has been said.
fn has_rows(data: Option<&Path>, tasks: bool) -> bool {
    data.map_or(tasks, |path| !tasks && !path.as_os_str().is_empty())
}

/// Looks at the training rows, which messages call `name`.
fn check_rows(
    prepared: &Prepared,
    rows: &[Row],
    name: &str,
    world: Option<&FromFiles<Cpu>>,
    findings: &mut Findings,
) {
    findings.good.push(format!("{name}: {} rows", rows.len()));
    findings.wrong.extend(rows_fit(prepared, rows, name));
    let Some(world) = world else { return };
    let (prompts, unfit) =
        prompts_fit(rows.iter().enumerate(), name, world.student(), &prepared.placement(), &prepared.judges);
    findings.wrong.extend(unfit);
    findings.wrong.extend(teachers_fit(prepared, world, &prompts));
    let (heard, unfit) = contexts_fit(prepared, world, &prompts);
    findings.wrong.extend(unfit);
    let tokenizer = &world.student().tokenizer;
    findings.good.extend(templates(tokenizer, rows));
    findings.good.extend(prompts.first().map(|prompt| format!("first prompt ({}", plain(prompt, tokenizer))));
    if !heard.is_empty() {
        findings.good.extend(shown(&heard, &prompts, &prepared.file.privileged, tokenizer));
    }
    findings.good.push(estimate(prepared, world, &prompts));
}

/// Which chat template renders the prompts, or that one is there and renders none.
fn templates(tokenizer: &Tokenizer, rows: &[Row]) -> Option<String> {
    let used = tokenizer.describe_chat()?;
    Some(match rows.iter().any(|row| row.prompt.plain().is_none()) {
        true => used,
        false => {
            "the chat template is not used: the prompts are plain text (with `chat: ()` a user says them)"
                .into()
        }
    })
}

fn describe_world(world: &FromFiles<Cpu>) -> Vec<String> {
    let student = world.student();
    let print = student.tokenizer.fingerprint();
    let mut lines = vec![format!(
        "student: {} parameters, vocabulary {}, tokenizer {}",
        student.decoder.size(),
        student.vocabulary(),
        &print[..print.len().min(12)]
    )];
    for (name, policy) in world.teachers() {
        lines.push(format!("teacher {name}: {} parameters, the same tokenizer", policy.decoder.size()));
    }
    if let Some(lora) = student.decoder.lora() {
        let names: Vec<&str> = lora.targets.iter().map(|target| target.name()).collect();
        lines.push(format!(
            "of the student {} parameters learn: LoRA of rank {} on {}",
            learning(&student.decoder),
            lora.rank,
            names.join(", ")
        ));
    }
    if let [part, rest @ ..] = student.decoder.frozen() {
        let all = rest.iter().fold(format!("{part:?}"), |all, part| format!("{all}, {part:?}"));
        lines.push(format!("of the student these parts stay as they are: {all}"));
    }
    lines.extend(world.servers().map(Server::described));
    lines
}

pub(super) fn learning<D: Device>(decoder: &Decoder<D>) -> usize {
    decoder.learning().iter().map(|p| p.shape().iter().product::<usize>()).sum()
}
