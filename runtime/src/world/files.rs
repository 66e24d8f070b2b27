//! A world opened from model folders: dims are known once `config.json` has been read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::models::Lora;
use crate::plan::Plan;
use crate::settings::Setting;
use crate::suggest::nearest;
use crate::tensor::Device;
use crate::world::remote::Server;
use crate::world::tokenizer::{Chat, Tokenizer};
use crate::world::{AnyVocabulary, Policy, Speaker, World};

/// A world whose dims come from the files.
pub struct FromFiles<D: Device> {
    student: Policy<D>,
    teachers: BTreeMap<String, Policy<D>>,
    /// The seats of the student itself.
    own: Vec<&'static str>,
    /// The seats that follow the student, and how far in a step.
    following: BTreeMap<&'static str, f64>,
    /// The teachers behind servers, by seat.
    pub(super) served: BTreeMap<String, Server>,
}

/// A way to open a policy.
type Opener<D> = fn(&str, &Path, &D) -> Result<Policy<D>>;

impl<D: Device> FromFiles<D> {
    /// Opens the student and every teacher that `plan` declares.
    ///
    /// # Errors
    /// A folder that is missing or does not fit, a teacher that nobody named or nobody declared,
    /// a teacher that speaks another vocabulary.
    pub fn open(
        plan: &Plan,
        student: &Path,
        teachers: &BTreeMap<String, PathBuf>,
        device: &D,
    ) -> Result<Self> {
        let (world, wrong) = Self::open_all(plan, student, teachers, device);
        Error::together(wrong)?;
        world.ok_or_else(|| Error::call("the world has no student"))
    }

    /// Opens what can be opened, and finds everything that does not fit. An empty path is passed over:
    /// whoever emptied it has said why.
    pub(crate) fn open_all(
        plan: &Plan,
        student: &Path,
        teachers: &BTreeMap<String, PathBuf>,
        device: &D,
    ) -> (Option<Self>, Vec<Error>) {
        let weighted: Vec<&str> = plan.from_folders().collect();
        let strangers = teachers.keys().filter(|name| !weighted.contains(&name.as_str()));
        let mut wrong: Vec<Error> =
            strangers.map(|stranger| unknown_teacher(plan, stranger, &weighted)).collect();
        let mut open = |how: Opener<D>, name: &str, folder: &Path| -> Option<Policy<D>> {
            if folder.as_os_str().is_empty() {
                return None;
            }
            how(name, folder, device).map_err(|why| wrong.push(why)).ok()
        };
        let student = open(Policy::load, "student", student);
        let mut seats = BTreeMap::new();
        let mut missing = Vec::new();
        for name in weighted {
            match teachers.get(name) {
                Some(folder) => {
                    drop(
                        open(Policy::map, name, folder).map(|policy| seats.insert(name.to_string(), policy)),
                    );
                }
                None => missing.push(missing_teacher(plan, name)),
            }
        }
        wrong.extend(missing);
        let Some(student) = student else { return (None, wrong) };
        wrong.extend(seats.values().filter_map(|policy| student.must_share_vocabulary(policy).err()));
        let of_kind = |kind| plan.teachers.iter().filter(move |t| t.is(kind));
        let own = of_kind("Own").chain(of_kind("SameWeights")).map(|t| t.name).collect();
        let following = of_kind("Ema").map(|t| (t.name, 1.0)).collect();
        for teacher in of_kind("Start").chain(of_kind("Ema")) {
            match student.copy(teacher.name) {
                Ok(copy) => drop(seats.insert(teacher.name.to_string(), copy)),
                Err(why) => wrong.push(why),
            }
        }
        let world = Self { student, teachers: seats, own, following, served: BTreeMap::new() };
        (Some(world.tuned(&(plan.resolve)()).agreed()), wrong)
    }

    /// The same world under these settings of its teachers: how fast they follow the student.
    #[must_use]
    pub fn tuned(mut self, settings: &[(&'static str, Vec<Setting>)]) -> Self {
        for (seat, rate) in &mut self.following {
            let list = settings.iter().find(|(name, _)| name == seat).map(|(_, list)| list);
            let found = list.and_then(|list| list.iter().find(|setting| setting.name == "rate"));
            if let Some(value) = found.and_then(|setting| setting.value.parse().ok()) {
                *rate = value;
            }
        }
        self
    }

    /// The same world, in which only low-rank factors of the student learn, made from `seed`. Teachers that
    /// follow the student follow these.
    ///
    /// # Errors
    /// Settings that do not fit the student.
    pub fn with_lora(mut self, lora: &Lora, seed: u64) -> Result<Self> {
        self.student.decoder.adapt(lora, seed)?;
        for seat in self.following.keys() {
            self.teachers.insert((*seat).to_string(), self.student.copy(seat)?);
        }
        Ok(self)
    }

    /// The same world, whose chats are told this.
    ///
    /// # Errors
    /// The student's folder has no chat template, or one that never reads what it is told.
    pub fn chatting(mut self, chat: Option<&Chat>) -> Result<Self> {
        if let Some(chat) = chat {
            let told = Tokenizer::clone(&self.student.tokenizer).told(chat.clone())?;
            self.student.tokenizer = Arc::new(told);
        }
        Ok(self.agreed())
    }

    /// Everybody reads the tokens that the student's tokenizer makes of a prompt, its chat template
    /// included: then so does who is evaluated, whatever template came with a teacher.
    fn agreed(mut self) -> Self {
        for policy in self.teachers.values_mut() {
            policy.tokenizer = Arc::clone(&self.student.tokenizer);
        }
        self
    }

    /// The teachers, by seat.
    pub fn teachers(&self) -> impl Iterator<Item = (&str, &Policy<D>)> {
        self.teachers.iter().map(|(name, policy)| (name.as_str(), policy))
    }
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

    fn seated(&self) -> Vec<(&str, &Policy<D>)> {
        self.teachers().chain(self.own.iter().map(|seat| (*seat, &self.student))).collect()
    }

    fn speaker(&self, seat: &str) -> Result<Speaker<'_, D>> {
        match self.served.get(seat) {
            Some(server) => Ok(Speaker::Served(server)),
            None => self.teacher(seat).map(Speaker::Here),
        }
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
