//! How two recipes differ: in their teachers, in the methods of their stages, in the values of their
//! settings with defaults resolved, and in their loops. Never in how they were written down.

mod loops;
mod text;

pub use loops::{Line, LoopDiff};

use serde::Serialize;

use crate::plan::{Plan, Record, StageRecord, TeacherRecord};

/// How two recipes differ; its `Display` is what `limbeck diff` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The recipe that is compared.
    pub from: String,
    /// The recipe it is compared with.
    pub to: String,
    /// What differs: teachers first, then stages in the order of the loop.
    pub changes: Vec<Change>,
    /// How many teachers are the same.
    pub same_teachers: usize,
    /// How many stages are the same.
    pub same_stages: usize,
    /// How the loops differ.
    #[serde(rename = "loop")]
    pub loops: LoopDiff,
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Only the first recipe has it.
    Removed(Part),
    /// Only the second recipe has it.
    Added(Part),
    /// Both have it, filled by two methods.
    Replaced {
        /// As the first recipe has it.
        from: Part,
        /// As the second recipe has it.
        to: Part,
    },
    /// Both have it, filled by one method, and some settings or type parameters differ.
    Set {
        /// The teacher or stage.
        of: Of,
        /// Its name.
        name: String,
        /// The method in the first recipe.
        from: String,
        /// The method in the second recipe: the same but for what stands in `<…>`.
        to: String,
        /// The settings that differ.
        settings: Vec<Turned>,
    },
}

/// Whether something is a teacher or a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// A teacher.
    Teacher,
    /// A stage.
    Stage,
}

/// A teacher or a stage with every setting by value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Which of the two it is.
    pub of: Of,
    /// The teacher's or the stage's name.
    pub name: String,
    /// The teacher's kind or the stage's method.
    pub method: String,
    /// Name and value; of a teacher also its domain and what it reads.
    pub settings: Vec<(String, String)>,
}

/// A setting with two values; of a teacher, `None` is "no domain" or "reads nothing".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turned {
    /// The setting.
    pub name: String,
    /// Its value in the first recipe.
    pub from: Option<String>,
    /// Its value in the second recipe.
    pub to: Option<String>,
}

/// How two recipes differ.
///
/// ```
/// use limbeck::prelude::*;
///
/// #[recipe]
/// struct Calm {
///     #[teacher]
///     teacher: Frozen,
///     data: Prompts,
///     #[with(temperature = 0.6)]
///     rollout: Sample,
///     score: FullVocab,
///     loss: ReverseKl,
///     step: AdamW,
/// }
///
/// #[recipe]
/// struct Warm {
///     #[teacher]
///     teacher: Frozen,
///     data: Prompts,
///     rollout: Sample, // its temperature is 1 when nothing is said
///     score: FullVocab,
///     loss: ReverseKl,
///     step: AdamW,
/// }
///
/// let diff = limbeck::diff(&Calm::PLAN, &Warm::PLAN);
/// assert!(!diff.is_empty());
/// assert_eq!(
///     diff.to_string(),
///     "Calm → Warm\n  ~ rollout     Sample { temperature: 0.6 → 1.0 }\n  = 6 stages unchanged\nloop: the same\n"
/// );
/// ```
pub fn diff(from: &Plan, to: &Plan) -> Diff {
    between(&from.resolved().record(), &to.resolved().record(), [from.loop_text, to.loop_text])
}

/// The same of plans that were read from files, with the text of both loops.
pub fn between(from: &Record, to: &Record, loops: [&str; 2]) -> Diff {
    let mut diff = Diff {
        from: from.name.clone(),
        to: to.name.clone(),
        changes: Vec::new(),
        same_teachers: 0,
        same_stages: 0,
        loops: LoopDiff::of(loops),
    };
    let parts = |record: &Record| {
        let teachers = record.teachers.iter().map(Part::of_teacher);
        teachers.chain(record.stages.iter().map(Part::of_stage)).collect::<Vec<_>>()
    };
    let (old, new) = (parts(from), parts(to));
    for of in [Of::Teacher, Of::Stage] {
        let some = |parts: &[Part]| parts.iter().filter(|part| part.of == of).cloned().collect::<Vec<_>>();
        let (old, new) = (some(&old), some(&new));
        for name in in_order(&old, &new) {
            let find = |parts: &[Part]| parts.iter().find(|part| part.name == name).cloned();
            let change = change(find(&old), find(&new));
            let same = if of == Of::Teacher { &mut diff.same_teachers } else { &mut diff.same_stages };
            *same += usize::from(change.is_none());
            diff.changes.extend(change);
        }
    }
    diff
}

impl Diff {
    /// Whether the two recipes train alike: no teacher, no method and no value differs.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl Change {
    /// Whether it is about a teacher or about a stage.
    pub fn of(&self) -> Of {
        match self {
            Self::Removed(part) | Self::Added(part) | Self::Replaced { from: part, .. } => part.of,
            Self::Set { of, .. } => *of,
        }
    }
}

impl Part {
    fn of_teacher(teacher: &TeacherRecord) -> Self {
        let words = [("domain", &teacher.domain), ("reads", &teacher.reads)];
        let words = words.into_iter().filter_map(|(name, value)| Some((name.to_string(), value.clone()?)));
        Self {
            of: Of::Teacher,
            name: teacher.name.clone(),
            method: teacher.kind.clone(),
            settings: words.chain(teacher.settings.iter().cloned()).collect(),
        }
    }

    fn of_stage(stage: &StageRecord) -> Self {
        Self {
            of: Of::Stage,
            name: stage.stage.clone(),
            method: stage.method.clone(),
            settings: stage.settings.clone(),
        }
    }
}

/// The names of both, each after the one it follows in its own recipe.
fn in_order(old: &[Part], new: &[Part]) -> Vec<String> {
    let mut names: Vec<String> = old.iter().map(|part| part.name.clone()).collect();
    let mut next = 0;
    for part in new {
        match names.iter().position(|name| *name == part.name) {
            Some(at) => next = at + 1,
            None => {
                names.insert(next, part.name.clone());
                next += 1;
            }
        }
    }
    names
}

fn change(from: Option<Part>, to: Option<Part>) -> Option<Change> {
    match (from, to) {
        (None, None) => None,
        (Some(from), None) => Some(Change::Removed(from)),
        (None, Some(to)) => Some(Change::Added(to)),
        (Some(from), Some(to)) if bare(&from.method) != bare(&to.method) => {
            Some(Change::Replaced { from, to })
        }
        (Some(from), Some(to)) => {
            let settings = turned(&from.settings, &to.settings);
            let differs = from.method != to.method || !settings.is_empty();
            let Part { of, name, method, .. } = from;
            differs.then_some(Change::Set { of, name, from: method, to: to.method, settings })
        }
    }
}

/// A method without its type parameters.
fn bare(method: &str) -> &str {
    method.split_once('<').map_or(method, |(bare, _)| bare)
}

fn turned(from: &[(String, String)], to: &[(String, String)]) -> Vec<Turned> {
    let value = |list: &[(String, String)], name: &str| {
        list.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let only_new = to.iter().filter(|(name, _)| value(from, name).is_none());
    from.iter()
        .chain(only_new)
        .map(|(name, _)| Turned { name: name.clone(), from: value(from, name), to: value(to, name) })
        .filter(|turned| turned.from != turned.to)
        .collect()
}
