//! Which teachers of a recipe are behind servers, and their servers in a world.

use std::collections::BTreeMap;

use super::{Mark, Server, ServerFile};
use crate::error::{Error, Result};
use crate::plan::{fingerprint, Plan, Teacher};
use crate::run::read_plainly;
use crate::suggest::nearest;
use crate::tensor::Device;
use crate::world::rows::Row;
use crate::world::{FromFiles, World};

/// So many prompts of the data are what servers are looked at with.
const PROBES: usize = 3;

/// Everything that does not fit between the teachers of a recipe and the servers of a run file.
pub(crate) fn seats_fit(plan: &Plan, servers: &BTreeMap<String, ServerFile>) -> Vec<Error> {
    let served: Vec<&str> = served(plan).map(|teacher| teacher.name).collect();
    let strangers = servers.keys().filter(|name| !served.contains(&name.as_str()));
    let mut wrong: Vec<Error> = strangers
        .map(|name| {
            let error = Error::call(format!("`{}` has no teacher `{name}` behind a server", plan.name))
                .at(format!("servers.{name}"));
            match nearest(name, served.iter().copied()) {
                Some(near) => error.next(format!("did you mean `{near}`?")),
                None if served.is_empty() => {
                    error.next("none of its teachers is `Remote`: remove it from the run file, or name a model folder in `teachers`")
                }
                None => error.next(format!("behind servers are: {}", served.join(", "))),
            }
        })
        .collect();
    let missing = served.iter().filter(|name| !servers.contains_key(**name));
    wrong.extend(missing.map(|name| {
        Error::call(format!(
            "`{}` declares the teacher `{name}` behind a server, and the run file names none",
            plan.name
        ))
        .at("servers")
        .next(format!("add `servers: {{\"{name}\": (urls: [\"http://127.0.0.1:8000\"], speaks: Vllm)}}`"))
    }));
    wrong
}

/// The teachers that are behind servers.
pub(crate) fn served(plan: &Plan) -> impl Iterator<Item = &'static Teacher> {
    plan.teachers.iter().filter(|teacher| teacher.served().is_some())
}

impl<D: Device> FromFiles<D> {
    /// The same world with the servers of its teachers, each waited for and looked at with prompts of `rows`.
    ///
    /// # Errors
    /// A teacher without a server, a server without a teacher, and one that is not what it should be.
    pub fn with_servers(
        mut self,
        plan: &Plan,
        servers: &BTreeMap<String, ServerFile>,
        rows: &[Row],
    ) -> Result<Self> {
        Error::together(seats_fit(plan, servers))?;
        Error::together(self.connect(plan, servers, rows))?;
        Ok(self)
    }

    /// Connects what can be connected, and finds everything that is wrong. What has no seat is passed over.
    pub(crate) fn connect(
        &mut self,
        plan: &Plan,
        servers: &BTreeMap<String, ServerFile>,
        rows: &[Row],
    ) -> Vec<Error> {
        let step = rows.len().div_ceil(PROBES).max(1);
        let probes: Vec<Vec<u32>> =
            rows.iter().step_by(step).filter_map(|row| read_plainly(row, self.student())).collect();
        let mut wrong = Vec::new();
        for teacher in served(plan) {
            let Some(file) = servers.get(teacher.name) else { continue };
            let top = teacher.served().unwrap_or(0);
            match Server::connect(teacher.name, file, self.student(), &probes, top) {
                Ok(server) => drop(self.served.insert(teacher.name.to_string(), server)),
                Err(why) => wrong.push(why),
            }
        }
        wrong
    }

    /// The teachers behind servers.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.served.values()
    }

    /// The fingerprint of who answers from elsewhere; none where nobody does.
    pub(crate) fn served_fingerprint(&self) -> Option<(String, String)> {
        let all: Vec<String> = self.servers().map(Server::identity).collect();
        (!all.is_empty()).then(|| ("servers".to_string(), fingerprint(all.join("\n").as_bytes())))
    }

    /// By what the teachers behind servers are known again.
    pub(crate) fn marks(&self) -> BTreeMap<&str, &Mark> {
        self.served.iter().map(|(seat, server)| (seat.as_str(), server.mark())).collect()
    }

    /// The teachers behind servers are those of these marks.
    pub(crate) fn must_be(&self, marks: &BTreeMap<String, Mark>) -> Result<()> {
        let known = self.servers().filter_map(|server| Some((server, marks.get(server.seat())?)));
        Error::together(known.filter_map(|(server, mark)| server.must_be(mark).err()))
    }
}
