//! What the teachers of a run read beyond its prompts: looked at before a run, and shown by `check`.

use std::sync::Arc;

use super::prepare::Prepared;
use super::ready::{longest_response, taught, TOLD};
use crate::batch::Prompt;
use crate::error::{Error, Result};
use crate::plan::Teacher;
use crate::privileged::Placement;
use crate::stages::score::{Asked, Reading};
use crate::tensor::Cpu;
use crate::world::tokenizer::Tokenizer;
use crate::world::{FromFiles, Policy, Speaker, World};

/// What one teacher reads of a run's prompts.
pub(super) struct Heard {
    teacher: &'static Teacher,
    /// The first prompt for which there is something to read, by its place, and that.
    first: Option<(usize, Reading)>,
    /// How many prompts it reads, and for how many there is nothing beyond them before the run.
    prompts: usize,
    without: usize,
}

/// Reads every prompt as the teachers will, and finds what does not fit. Empty for a recipe whose
/// teachers read what the student reads.
pub(super) fn contexts_fit(
    prepared: &Prepared,
    world: &FromFiles<Cpu>,
    prompts: &[Arc<Prompt>],
) -> (Vec<Heard>, Vec<Error>) {
    let teachers = prepared.entry.plan.teachers;
    if teachers.iter().all(|teacher| teacher.reads.is_none()) {
        return (Vec::new(), Vec::new());
    }
    let nobody = |teacher| Heard { teacher, first: None, prompts: 0, without: 0 };
    let mut heard: Vec<Heard> = teachers.iter().map(nobody).collect();
    let (mut wrong, mut untold) = (Vec::new(), 0);
    // of a domain that nobody teaches it has been said already
    let taught = taught(&prepared.entry.plan);
    let theirs = |prompt: &Prompt| taught.is_empty() || taught.iter().any(|domain| domain == prompt.domain());
    for (place, prompt) in prompts.iter().enumerate().filter(|(_, prompt)| theirs(prompt)) {
        match read(prepared, world, prompt) {
            Ok(readings) => {
                for reading in readings {
                    if let Some(one) = heard.iter_mut().find(|one| one.teacher.name == reading.seat) {
                        one.take(place, reading);
                    }
                }
            }
            Err(why) if wrong.len() < TOLD => wrong.push(why),
            Err(_) => untold += 1,
        }
    }
    if untold > 0 {
        wrong.push(Error::call(format!("{untold} more rows do not fit what the teachers read")).at("data"));
    }
    (heard, wrong)
}

/// One prompt as the teachers read it, with room for the longest response to it.
fn read(prepared: &Prepared, world: &FromFiles<Cpu>, prompt: &Arc<Prompt>) -> Result<Vec<Reading>> {
    let positions = |policy: &Policy<Cpu>| policy.decoder.config().max_position_embeddings;
    let students = positions(world.student());
    let readings = prepared.recipe.readings(world, &Asked::new(Arc::clone(prompt)))?;
    let response = longest_response(prepared, prompt, students);
    for reading in &readings {
        let room = match world.speaker(reading.seat) {
            Ok(Speaker::Here(policy)) => positions(policy),
            Ok(Speaker::Served(server)) => server.room().unwrap_or(students),
            Err(_) => students,
        };
        let room = room.min(students);
        if reading.length() > prompt.tokens.len() && reading.length() + response > room {
            return Err(Error::call(format!(
                "`{}` reads {} tokens before a response of up to {response}, and the model's context is {room}",
                reading.seat,
                reading.length()
            ))
            .at(format!("data, row {}", prompt.index + 1))
            .next("shorten the row's privileged text, or lower `rollout.max_response_tokens`"));
        }
    }
    Ok(readings)
}

impl Heard {
    fn take(&mut self, place: usize, reading: Reading) {
        self.prompts += 1;
        if !reading.found() {
            self.without += 1;
        } else if self.first.is_none() {
            self.first = Some((place, reading));
        }
    }
}

/// Every teacher's context beside the student's, the first scored token marked in both. After the first
/// prompt, which `check` has shown, others are for teachers that do not read that one.
pub(super) fn shown(
    heard: &[Heard],
    prompts: &[Arc<Prompt>],
    placement: &Placement,
    tokenizer: &Tokenizer,
) -> Vec<String> {
    let mut lines = vec![format!("privileged: {}", written(placement))];
    let mut at = 0;
    for one in heard {
        let (name, prompts_read, without) = (one.teacher.name, one.prompts, one.without);
        match (one.teacher.reads, &one.first) {
            (None, _) => lines.push(format!("the teacher `{name}` reads what the student reads")),
            (Some(reads), None) => lines.push(format!(
                "the teacher `{name}` reads {reads}: {}",
                if prompts_read == 0 { "no row is for it" } else { NOT_YET }
            )),
            (Some(reads), Some((place, reading))) => {
                let prompt = &prompts[*place];
                if *place != at {
                    at = *place;
                    let row = prompt.index + 1;
                    lines.push(format!("row {row} as the student reads it ({}", plain(prompt, tokenizer)));
                }
                lines.push(format!(
                    "as the teacher `{name}` reads it ({reads}; {} tokens; the same token is scored first):\n{}",
                    reading.length(),
                    marked(&reading.opened_for_check(tokenizer), prompt, tokenizer)
                ));
                if without > 0 {
                    lines.push(format!(
                        "    {without} of its {prompts_read} rows have nothing for it to read; {LEFT_OUT}"
                    ));
                }
            }
        }
    }
    lines
}

const NOT_YET: &str = "there is nothing to show before a run, for it comes with the responses; \
                       those without it are left out of the loss";
const LEFT_OUT: &str = "responses to them are left out of the loss";

/// A place as the run file writes it.
fn written(placement: &Placement) -> String {
    let pretty = ron::ser::PrettyConfig::new().depth_limit(0);
    ron::ser::to_string_pretty(placement, pretty).unwrap_or_else(|why| why.to_string())
}

/// How long a prompt is, and the prompt as the student reads it.
pub(super) fn plain(prompt: &Prompt, tokenizer: &Tokenizer) -> String {
    format!(
        "{} tokens; the first scored token is marked):\n{}",
        prompt.tokens.len(),
        marked(&prompt.text, prompt, tokenizer)
    )
}

/// A context, and the first token of the response after it: response index 0 under every context.
fn marked(context: &str, prompt: &Prompt, tokenizer: &Tokenizer) -> String {
    let first = prompt.reference.as_ref().and_then(|ids| ids.first());
    let first = first.map_or("…".to_string(), |&id| tokenizer.show(id));
    format!("    {}⟦{first}⟧", context.replace('\n', "\n    "))
}
