//! What the loop says in plain words: one lower-case comment a stage, with the method as written. The
//! doc comment of a stage's field, where there is one, is said instead.

use syn::ext::IdentExt;

use crate::model::{Recipe, Teacher};
use crate::plan::method_of;
use crate::spelling::spell;
use crate::stage::StageName;

/// The comment over a stage's line.
pub fn stage(recipe: &Recipe, stage: StageName) -> String {
    let own = recipe.stage(stage).and_then(|stage| stage.says.clone());
    let says = own.unwrap_or_else(|| sentence(recipe, stage));
    let name = stage.as_str();
    match method_of(recipe, stage) {
        Some(method) => format!("{name}: {says} ({method})"),
        None => format!("{name}: {says}"),
    }
}

fn sentence(recipe: &Recipe, stage: StageName) -> String {
    let taught = !recipe.teachers.is_empty();
    match stage {
        StageName::Data => "draw prompts",
        StageName::Rollout if taught => "the student answers in its own words",
        StageName::Rollout => "answers to learn from",
        StageName::Verify => "the task says right, wrong or not judged",
        StageName::Balance => "choose which rollouts to learn from",
        StageName::Score => return who_reads(recipe),
        StageName::Calibrate => "set the scores right by what is known of the outcome",
        StageName::Route => return who_is_heard(recipe).to_owned(),
        StageName::Loss => match recipe.teachers.as_slice() {
            [] => "the student on these answers",
            [_] => "student against teacher, on the student's own tokens",
            _ => "student against teachers, on the student's own tokens",
        },
        StageName::Step => "move the student",
        StageName::Log => "one line of numbers, and a held-out look when it is due",
        StageName::Checkpoint => "written whole or not at all",
    }
    .to_owned()
}

fn who_reads(recipe: &Recipe) -> String {
    let names: Vec<String> = recipe.teachers.iter().map(name).collect();
    match names.as_slice() {
        [] => "no teacher is asked".to_owned(),
        [one] => format!("{one} reads the student's tokens, no gradient"),
        many => format!("{} read the student's tokens, no gradient", listed(many)),
    }
}

fn who_is_heard(recipe: &Recipe) -> &'static str {
    let experts = recipe.teachers.iter().filter(|teacher| teacher.domain.is_some()).count();
    match (recipe.stage(StageName::Route), experts, recipe.teachers.len()) {
        (Some(_), _, _) => "what each token hears, and how loudly",
        (None, _, 0) => "every token counts",
        (None, 0, 1) => "every token hears the teacher",
        (None, experts, all) if experts == all => "every token hears its prompt's teacher",
        _ => "every token hears all its teachers",
    }
}

/// The comment over the teachers.
pub fn teachers(recipe: &Recipe) -> String {
    let all = &recipe.teachers;
    let (experts, alone): (Vec<&Teacher>, Vec<&Teacher>) =
        all.iter().partition(|teacher| teacher.domain.is_some());
    let alone: Vec<String> = alone.into_iter().map(name).collect();
    let who = match (experts.is_empty(), alone.as_slice()) {
        (true, []) => return "teachers: none".to_owned(),
        (true, [_]) => "one, for every prompt".to_owned(),
        (true, many) => format!("{}, for every prompt", listed(many)),
        (false, []) => "each prompt hears the expert of its domain".to_owned(),
        (false, beside) => {
            format!("each prompt hears the expert of its domain, and {} beside it", listed(beside))
        }
    };
    format!("teachers: {who}{}", what_they_read(all))
}

/// `; teacher and hindsight are shown StepHints`: those who read the same are named together.
fn what_they_read(teachers: &[Teacher]) -> String {
    let mut readers: Vec<(String, Vec<String>)> = Vec::new();
    for teacher in teachers {
        let Some(reads) = teacher.reads.as_ref().map(spell) else { continue };
        match readers.iter_mut().find(|(known, _)| *known == reads) {
            Some((_, names)) => names.push(name(teacher)),
            None => readers.push((reads, vec![name(teacher)])),
        }
    }
    let said = readers.iter().map(|(reads, names)| match names.as_slice() {
        [_] if teachers.len() == 1 => format!("; it is shown {reads}"),
        [one] => format!("; {one} is shown {reads}"),
        all if all.len() == teachers.len() => {
            format!("; {} are shown {reads}", if all.len() == 2 { "both" } else { "all" })
        }
        many => format!("; {} are shown {reads}", listed(many)),
    });
    said.collect()
}

fn name(teacher: &Teacher) -> String {
    teacher.name.unraw().to_string()
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
