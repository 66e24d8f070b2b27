//! The plan of a recipe: who teaches, which method fills each stage, and every setting by value.

use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::settings::Setting;

/// What a recipe declares, as data: for diffs, logs and checkpoints.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The recipe's name.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// The recipe it was forked from.
    pub base: Option<&'static str>,
    /// Who teaches.
    pub teachers: &'static [Teacher],
    /// The stages, in loop order.
    pub stages: &'static [Stage],
    /// Every setting of every teacher and stage, defaults included.
    pub resolve: fn() -> Vec<(&'static str, Vec<Setting>)>,
    /// The loop it runs, as text.
    pub loop_text: &'static str,
}

/// One teacher of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Teacher {
    /// The field's name; a run file names its weights by it.
    pub name: &'static str,
    /// The kind of teacher, as written.
    pub kind: &'static str,
    /// The domain it teaches, as written.
    pub domain: Option<&'static str>,
    /// What it reads beyond the prompt, as written.
    pub reads: Option<&'static str>,
}

impl Teacher {
    /// A teacher of this name and kind, of no domain, that reads the prompt.
    #[must_use]
    pub const fn new(name: &'static str, kind: &'static str) -> Self {
        Self { name, kind, domain: None, reads: None }
    }

    /// The same, as the expert of a domain.
    #[must_use]
    pub const fn of_domain(self, domain: &'static str) -> Self {
        Self { domain: Some(domain), ..self }
    }

    /// The same, reading this beyond the prompt.
    #[must_use]
    pub const fn reading(self, reads: &'static str) -> Self {
        Self { reads: Some(reads), ..self }
    }

    /// Whether its kind has this name, however its path was written.
    pub(crate) fn is(&self, kind: &str) -> bool {
        let path = self.kind.split('<').next().unwrap_or_default();
        path.rsplit("::").next().unwrap_or_default().trim() == kind
    }

    /// Of a teacher behind a server, how many of its likeliest tokens the recipe asks for; none of any other.
    pub fn served(&self) -> Option<usize> {
        if !self.is("Remote") {
            return None;
        }
        let digits: String = self.kind.chars().filter(char::is_ascii_digit).collect();
        Some(digits.parse().unwrap_or(0))
    }

    /// The domain as data rows spell it: the variant's name in snake case.
    pub fn domain_name(&self) -> Option<String> {
        let variant = self.domain?.rsplit("::").next()?.trim();
        let mut name = String::new();
        for (i, letter) in variant.chars().enumerate() {
            if letter.is_uppercase() && i > 0 {
                name.push('_');
            }
            name.extend(letter.to_lowercase());
        }
        Some(name)
    }
}

/// One stage of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The stage: `data`, `rollout`, …
    pub stage: &'static str,
    /// The method, as written.
    pub method: &'static str,
    /// The settings written in `#[with(…)]`, as text.
    pub with: &'static [(&'static str, &'static str)],
}

impl Stage {
    /// A stage with its method, and the settings written for it.
    #[must_use]
    pub const fn new(
        stage: &'static str,
        method: &'static str,
        with: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { stage, method, with }
    }
}

impl Plan {
    /// The settings of one teacher or stage, defaults included.
    pub fn settings(&self, name: &str) -> Vec<Setting> {
        (self.resolve)().into_iter().find(|(stage, _)| *stage == name).map_or_else(Vec::new, |(_, list)| list)
    }

    /// Which method fills a stage, if any does.
    pub fn method(&self, stage: &str) -> Option<&'static str> {
        self.stages.iter().find(|s| s.stage == stage).map(|s| s.method)
    }

    /// The teachers whose weights are read from a folder; the others are the student, now or earlier.
    pub fn from_folders(&self) -> impl Iterator<Item = &'static str> {
        self.teachers.iter().filter(|teacher| teacher.is("Frozen")).map(|teacher| teacher.name)
    }

    /// The plan with every setting at its declared value.
    pub fn resolved(&self) -> Resolved {
        self.with_settings((self.resolve)())
    }

    /// The plan with the settings of one run.
    pub fn with_settings(&self, settings: Vec<(&'static str, Vec<Setting>)>) -> Resolved {
        Resolved { plan: *self, settings }
    }

    /// The plan as pretty RON.
    pub fn to_ron(&self) -> String {
        self.resolved().to_ron()
    }

    /// A fingerprint of the plan: equal plans, defaults included, have equal hashes.
    pub fn hash(&self) -> String {
        fingerprint(self.to_ron().as_bytes())
    }
}

/// A plan with the values of every setting.
#[derive(Clone, Debug)]
pub struct Resolved {
    plan: Plan,
    settings: Vec<(&'static str, Vec<Setting>)>,
}

impl Resolved {
    /// As pretty RON.
    pub fn to_ron(&self) -> String {
        let pretty = ron::ser::PrettyConfig::new().struct_names(true).indentor("    ");
        ron::ser::to_string_pretty(self, pretty).unwrap_or_else(|why| format!("// {why}"))
    }

    /// The loop it runs, as text.
    pub fn loop_text(&self) -> &'static str {
        self.plan.loop_text
    }

    /// The plan as files hold it.
    pub fn record(&self) -> Record {
        let plan = &self.plan;
        let teacher = |t: &Teacher| TeacherRecord {
            name: t.name.to_string(),
            kind: t.kind.to_string(),
            domain: t.domain.map(str::to_string),
            reads: t.reads.map(str::to_string),
            settings: self.of(t.name),
        };
        let stage = |s: &Stage| StageRecord {
            stage: s.stage.to_string(),
            method: s.method.to_string(),
            settings: self.of(s.stage),
        };
        Record {
            name: plan.name.to_string(),
            base: plan.base.map(str::to_string),
            teachers: plan.teachers.iter().map(teacher).collect(),
            stages: plan.stages.iter().map(stage).collect(),
        }
    }

    fn of(&self, name: &str) -> Vec<(String, String)> {
        let list = self.settings.iter().find(|(stage, _)| *stage == name).map(|(_, list)| list.clone());
        list.unwrap_or_default().into_iter().map(|s| (s.name.to_string(), s.value)).collect()
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of `bytes`.
pub fn fingerprint(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.resolved().serialize(serializer)
    }
}

impl Serialize for Resolved {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.record().serialize(serializer)
    }
}

/// A plan as files hold it (`plan.ron`): written, read back, and compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "Plan")]
pub struct Record {
    /// The recipe's name.
    pub name: String,
    /// The recipe it was forked from.
    pub base: Option<String>,
    /// Who teaches.
    pub teachers: Vec<TeacherRecord>,
    /// The stages, in loop order.
    pub stages: Vec<StageRecord>,
}

/// One teacher of a [`Record`], with the value of each of its settings as RON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "Teacher")]
#[allow(missing_docs, reason = "the fields are those of `Teacher`")]
pub struct TeacherRecord {
    pub name: String,
    pub kind: String,
    pub domain: Option<String>,
    pub reads: Option<String>,
    pub settings: Vec<(String, String)>,
}

/// One stage of a [`Record`], with the value of each of its settings as RON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "Stage")]
#[allow(missing_docs, reason = "the fields are those of `Stage`")]
pub struct StageRecord {
    pub stage: String,
    pub method: String,
    pub settings: Vec<(String, String)>,
}
