//! One error type: what went wrong, where, and what to do about it.

use std::fmt;
use std::path::Path;

/// What every fallible function of Limbeck returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whether the call (or a file it names) is wrong, or the run failed on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The call, a run file, a data file or a model folder is wrong: exit status 2.
    Call,
    /// The run failed: a full disk, a number that is not finite: exit status 1.
    Run,
}

/// What went wrong, where, and what to do.
#[derive(Clone, Debug)]
pub struct Error {
    kind: Kind,
    what: String,
    at: Option<String>,
    next: Option<String>,
    also: Vec<String>,
    lost: bool,
}

impl Error {
    /// The call or a file it names is wrong.
    pub fn call(what: impl Into<String>) -> Self {
        Self { kind: Kind::Call, what: what.into(), at: None, next: None, also: Vec::new(), lost: false }
    }

    /// The run failed on the way.
    pub fn run(what: impl Into<String>) -> Self {
        Self { kind: Kind::Run, what: what.into(), at: None, next: None, also: Vec::new(), lost: false }
    }

    /// Somebody elsewhere does not answer any more: the run failed, and can go on from where it was once they do.
    pub fn lost(what: impl Into<String>) -> Self {
        Self { lost: true, ..Self::run(what) }
    }

    /// A file that could not be read (the caller named it, so the call is wrong).
    pub fn reading(path: &Path, why: impl fmt::Display) -> Self {
        Self::call(format!("cannot be read: {why}"))
            .at(path.display())
            .next("check the path, and that the file is whole and may be read")
    }

    /// A file that could not be written (the disk is full, say).
    pub fn writing(path: &Path, why: impl fmt::Display) -> Self {
        Self::run(format!("cannot be written: {why}"))
            .at(path.display())
            .next("free some space or choose another folder with --out; what was written before is intact")
    }

    /// Where: `file:line:column`, or a field.
    #[must_use]
    pub fn at(mut self, at: impl fmt::Display) -> Self {
        self.at = Some(at.to_string());
        self
    }

    /// Where, unless a more exact place is known already.
    #[must_use]
    pub fn or_at(self, at: impl fmt::Display) -> Self {
        if self.at.is_some() {
            self
        } else {
            self.at(at)
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Several errors as one: the first, and after it what else is wrong.
    ///
    /// # Errors
    /// When there is at least one.
    pub fn together(errors: impl IntoIterator<Item = Self>) -> Result<()> {
        let mut errors = errors.into_iter();
        match errors.next() {
            None => Ok(()),
            Some(mut first) => {
                first.also.extend(errors.map(|other| other.to_string()));
                Err(first)
            }
        }
    }

    /// Whether the run can go on from where it was, once who was lost is back.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The process exit status that belongs to this error: 2 or 1.
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Call => 2,
            Kind::Run => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = &self.at {
            write!(f, "{at}: ")?;
        }
        write!(f, "{}", self.what)?;
        if let Some(next) = &self.next {
            write!(f, "\n  {next}")?;
        }
        for other in &self.also {
            write!(f, "\nalso: {other}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
