//! RON layers: how a run file's mistakes are told, and how `--set` goes over it.

use ron::error::SpannedError;
use ron::value::RawValue;
use serde::Deserialize;

use super::file::{Place, RunFile};
use crate::entry::AnyRecipe;
use crate::error::{Error, Result};
use crate::patch::{ron_options, Given};
use crate::recipe::PartsMut;
use crate::suggest::nearest;
use crate::tensor::Precision;

/// A RON error in the user's terms, at `name:line:column`.
pub fn explain(why: &SpannedError, text: &str, name: &str) -> Error {
    let start = why.span.start;
    let place = format!("{name}:{}:{}", start.line, start.col);
    let around = enclosing(text, start.line, start.col);
    let error = match &why.code {
        ron::Error::NoSuchStructField { found, expected, outer } => {
            unknown(found, expected, outer.as_deref(), around.as_deref())
        }
        ron::Error::MissingStructField { field, .. } => {
            Error::call(format!("`{field}` is missing")).next(format!("add `{field}: …`"))
        }
        ron::Error::DuplicateStructField { field, .. } => {
            Error::call(format!("`{field}` is given twice")).next("remove one of the two")
        }
        ron::Error::NoSuchEnumVariant { found, expected, .. } => {
            let error = Error::call(format!("`{found}` is not a value for this setting"));
            match nearest(found, expected.iter().copied()) {
                Some(near) => {
                    error.next(format!("did you mean `{near}`? The values are: {}", expected.join(", ")))
                }
                None => error.next(format!("the values are: {}", expected.join(", "))),
            }
        }
        ron::Error::ExpectedDifferentStructName { expected, found, .. } => {
            Error::call(format!("`{found}` does not belong here")).next(format!("write `{expected}(…)`"))
        }
        other => Error::call(format!("cannot be understood: {other}")),
    };
    error.at(place)
}

fn unknown(found: &str, expected: &[&str], outer: Option<&str>, around: Option<&str>) -> Error {
    let what = match (outer, around) {
        (Some("Run"), _) => format!("a run file has no field `{found}`"),
        (_, None | Some("set")) => format!("the recipe has no stage `{found}`"),
        (_, Some(around)) => format!("`{around}` has no setting `{found}`"),
    };
    let error = Error::call(what);
    if expected.is_empty() {
        return error.next("it has no settings at all");
    }
    match nearest(found, expected.iter().copied()) {
        Some(near) => error.next(format!("did you mean `{near}`?")),
        None => error.next(format!("known here: {}", expected.join(", "))),
    }
}

/// The word before the innermost parenthesis that is open at `line:column`.
fn enclosing(text: &str, line: usize, column: usize) -> Option<String> {
    let mut before = String::new();
    for (i, row) in text.lines().enumerate() {
        if i + 1 == line {
            before.extend(row.chars().take(column.saturating_sub(1)));
            break;
        }
        before.push_str(row);
        before.push('\n');
    }
    let mut depth = 0;
    for (at, letter) in before.char_indices().rev() {
        match letter {
            ')' => depth += 1,
            '(' if depth > 0 => depth -= 1,
            '(' => {
                let head =
                    before[..at].trim_end().trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
                let head = head.trim_end().trim_end_matches(':').trim_end();
                let word: String =
                    head.chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let word: String = word.chars().rev().collect();
                return (!word.is_empty()).then_some(word);
            }
            _ => {}
        }
    }
    None
}

/// The fields of a run that `--set` may change beside the settings of stages.
#[derive(Default, Deserialize)]
#[serde(rename = "Run", deny_unknown_fields, default)]
struct RunOverlay {
    seed: Option<u64>,
    steps: Option<u64>,
    batch: Option<usize>,
    micro_batch: Option<usize>,
    activation_checkpointing: Option<bool>,
    device: Option<Place>,
    precision: Option<Precision>,
    save_every: Option<u64>,
    student: Option<std::path::PathBuf>,
    data: Option<std::path::PathBuf>,
    eval: Option<super::file::EvalFile>,
    lora: Option<crate::models::Lora>,
    freeze: Option<Vec<crate::models::Part>>,
}

/// The one field of a run file that its recipe reads.
#[derive(Deserialize)]
#[serde(rename = "Run")]
struct Settings<'a> {
    #[serde(borrow, default)]
    set: Option<&'a RawValue>,
}

/// Lets a recipe take over the settings of a run file; `name` is what messages call the file.
///
/// # Errors
/// The first thing that does not fit, at its line and column.
pub fn settings(recipe: &mut dyn AnyRecipe, text: &str, name: &str) -> Result<()> {
    let found: Settings = ron_options().from_str(text).map_err(|why| explain(&why, text, name))?;
    found.set.map_or(Ok(()), |set| take_over(recipe.parts_mut(), text, set.get_ron(), name))
}

/// Lets the parts of a recipe take over `set`, a part of `text`.
///
/// # Errors
/// As [`settings`].
pub(crate) fn take_over(mut parts: PartsMut, text: &str, set: &str, name: &str) -> Result<()> {
    let told = |why: &SpannedError| explain(why, text, name);
    let in_place = alone(text, set);
    let given: Given = ron_options().from_str(&in_place).map_err(|why| told(&why))?;
    for (place, (stage, settings)) in given.0.iter().enumerate() {
        let at = || {
            let start = in_place[..offset(&in_place, settings)].rfind(stage.as_str()).unwrap_or_default();
            let (line, column) = line_and_column(&in_place, start);
            format!("{name}:{line}:{column}")
        };
        if given.0[..place].iter().any(|(known, _)| known == stage) {
            return Err(Error::call(format!("`{stage}` is given twice"))
                .next("remove one of the two")
                .at(at()));
        }
        let Some((_, part)) = parts.iter_mut().find(|(known, _)| known == stage) else {
            let known: Vec<&str> = parts.iter().map(|(known, _)| *known).collect();
            return Err(unknown(stage, &known, None, None).at(at()));
        };
        part.patch(&alone(&in_place, settings)).map_err(|why| told(&why))?;
    }
    Ok(())
}

/// `part` of `text`, with blanks for all that is before it: it keeps its line and column.
fn alone(text: &str, part: &str) -> String {
    let before = text[..offset(text, part)].chars().map(|c| if c == '\n' { c } else { ' ' });
    before.chain(part.chars()).collect()
}

/// Where `part` begins in `text`, of which it is a slice.
fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len())
}

/// A place in a text as people count it.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// Puts `--set key=value` over a run file, or over the recipe's settings; whether it was one of these.
///
/// # Errors
/// A key that does not exist, a value of the wrong type; with the user's own words.
pub fn set(recipe: &mut dyn AnyRecipe, file: &mut RunFile, word: &str) -> Result<bool> {
    let place = format!("--set {word}");
    let (key, value) = word.split_once('=').ok_or_else(|| {
        Error::call("has no `=`")
            .at(&place)
            .next("write --set stage.field=VALUE, for example --set calibrate.delta=0.2")
    })?;
    let path: Vec<&str> = key.trim().split('.').collect();
    if path.iter().any(|part| part.is_empty() || !part.chars().all(|c| c.is_alphanumeric() || c == '_')) {
        return Err(Error::call(format!("`{key}` is not the name of a setting"))
            .at(&place)
            .next("write stage.field, for example calibrate.delta"));
    }
    match path[..] {
        [field] => {
            let text = format!("({field}:{value})");
            let over: RunOverlay =
                ron_options().from_str(&text).map_err(|why| explain(&why, &text, "").at(&place))?;
            file.seed = over.seed.unwrap_or(file.seed);
            file.steps = over.steps.unwrap_or(file.steps);
            file.batch = over.batch.unwrap_or(file.batch);
            file.micro_batch = over.micro_batch.unwrap_or(file.micro_batch);
            file.device = over.device.unwrap_or(file.device);
            file.precision = over.precision.unwrap_or(file.precision);
            file.activation_checkpointing =
                over.activation_checkpointing.unwrap_or(file.activation_checkpointing);
            file.save_every = over.save_every.unwrap_or(file.save_every);
            file.student = over.student.unwrap_or_else(|| file.student.clone());
            if over.data.is_some() {
                (file.data, file.tasks, file.scenes) = (over.data, None, None);
            }
            file.eval = over.eval.or_else(|| file.eval.clone());
            file.lora = over.lora.or_else(|| file.lora.clone());
            file.freeze = over.freeze.unwrap_or_else(|| file.freeze.clone());
            Ok(false)
        }
        [stage, field] => {
            let text = format!("({stage}:({field}:{value}))");
            take_over(recipe.parts_mut(), &text, &text, "").map_err(|why| why.at(&place))?;
            Ok(true)
        }
        _ => Err(Error::call(format!("`{key}` goes too deep"))
            .at(&place)
            .next("write stage.field, for example calibrate.delta")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enclosing_word_is_the_stage() {
        let text = "Run(\n  set: (rollout: (temprature: 1.0)),\n)";
        assert_eq!(enclosing(text, 2, 19).as_deref(), Some("rollout"));
        assert_eq!(enclosing(text, 2, 9).as_deref(), Some("set"));
        assert_eq!(enclosing(text, 1, 1), None);
    }
}
