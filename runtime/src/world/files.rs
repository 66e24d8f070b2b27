//! A world opened from model folders: dims are known once `config.json` has been read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::settings::Setting;
use crate::suggest::nearest;
use crate::tensor::Device;
use crate::world::{AnyVocabulary, Policy, World};

/// A world whose dims come from the files.
pub struct FromFiles<D: Device> {
    student: Policy<D>,
    teachers: BTreeMap<String, Policy<D>>,
    /// The seats of the student itself.
    own: Vec<&'static str>,
    /// The seats that follow the student, and by how much a step.
    following: BTreeMap<&'static str, f64>,
}

impl<D: Device> FromFiles<D> {
    /// Opens the student and every teacher that `plan` declares; `settings` are the recipe's, as they run.
    ///
    /// # Errors
    /// A folder that is missing or does not fit, a teacher that nobody named or nobody declared,
    /// a teacher that speaks another vocabulary.
    pub fn open(
        plan: &Plan,
        settings: &[(&'static str, Vec<Setting>)],
        student: &std::path::Path,
        teachers: &BTreeMap<String, PathBuf>,
        device: &D,
    ) -> Result<Self> {
        let weighted: Vec<&str> =
            plan.teachers.iter().filter(|t| t.kind == "Frozen").map(|t| t.name).collect();
        if let Some(stranger) = teachers.keys().find(|name| !weighted.contains(&name.as_str())) {
            return Err(unknown_teacher(plan, stranger, &weighted));
        }
        let student = Policy::load("student", student, device)?;
        let (mut seats, mut own, mut following) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        for teacher in plan.teachers {
            let policy = match teacher.kind {
                "Own" => {
                    own.push(teacher.name);
                    continue;
                }
                "Start" => student.copy(teacher.name)?,
                "Ema" => {
                    following.insert(teacher.name, rate(settings, teacher.name)?);
                    student.copy(teacher.name)?
                }
                _ => {
                    let folder =
                        teachers.get(teacher.name).ok_or_else(|| missing_teacher(plan, teacher.name))?;
                    Policy::load(teacher.name, folder, device)?
                }
            };
            student.must_share_vocabulary(&policy)?;
            seats.insert(teacher.name.to_string(), policy);
        }
        Ok(Self { student, teachers: seats, own, following })
    }

    /// The teachers, by seat.
    pub fn teachers(&self) -> impl Iterator<Item = (&str, &Policy<D>)> {
        self.teachers.iter().map(|(name, policy)| (name.as_str(), policy))
    }
}

/// How far a running mean of the student moves in a step.
fn rate(settings: &[(&'static str, Vec<Setting>)], seat: &str) -> Result<f64> {
    let list = settings.iter().find(|(name, _)| *name == seat).map(|(_, list)| list);
    let found =
        list.and_then(|list| list.iter().find(|s| s.name == "rate")).and_then(|s| s.value.parse().ok());
    found.ok_or_else(|| {
        Error::call("the teacher follows the student, and its `rate` is not known").at(format!("{seat}.rate"))
    })
}

fn unknown_teacher(plan: &Plan, stranger: &str, declared: &[&str]) -> Error {
    let error =
        Error::call(format!("`{}` has no teacher `{stranger}` that reads weights from a folder", plan.name))
            .at(format!("teachers.{stranger}"));
    match nearest(stranger, declared.iter().copied()) {
        Some(near) => error.next(format!("did you mean `{near}`?")),
        None if declared.is_empty() => error.next("the recipe declares none: remove it from the run file"),
        None => error.next(format!("the recipe declares: {}", declared.join(", "))),
    }
}

fn missing_teacher(plan: &Plan, name: &str) -> Error {
    Error::call(format!(
        "`{}` declares the teacher `{name}`, and the run file gives it no weights",
        plan.name
    ))
    .at("teachers")
    .next(format!("add `\"{name}\": \"path/to/model\"` to `teachers`"))
}

impl<D: Device> World for FromFiles<D> {
    type Device = D;
    type Vocabulary = AnyVocabulary;

    fn student(&self) -> &Policy<D> {
        &self.student
    }

    fn student_mut(&mut self) -> &mut Policy<D> {
        &mut self.student
    }

    fn follow(&mut self) -> Result<()> {
        for (seat, rate) in &self.following {
            if let Some(policy) = self.teachers.get_mut(*seat) {
                policy.move_towards(&self.student, *rate)?;
            }
        }
        Ok(())
    }

    fn followers(&self) -> Vec<(&str, &Policy<D>)> {
        self.following.keys().filter_map(|seat| Some((*seat, self.teachers.get(*seat)?))).collect()
    }

    fn follower_mut(&mut self, seat: &str) -> Option<&mut Policy<D>> {
        self.following.contains_key(seat).then(|| self.teachers.get_mut(seat)).flatten()
    }

    fn teacher(&self, seat: &str) -> Result<&Policy<D>> {
        if self.own.contains(&seat) {
            return Ok(&self.student);
        }
        self.teachers.get(seat).ok_or_else(|| {
            Error::call(format!("nobody sits in the seat of the teacher `{seat}`"))
                .at(format!("teachers.{seat}"))
        })
    }
}
