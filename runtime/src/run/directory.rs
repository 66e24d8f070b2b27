//! The run directory: what is written is whole, and nothing old is lost.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// The folder a run leaves behind.
#[derive(Clone, Debug)]
pub struct RunDirectory {
    root: PathBuf,
}

impl RunDirectory {
    /// A folder for a new run: `asked` if it is free, otherwise an error; without `asked`, the first
    /// free name of `runs/<stem>`, `runs/<stem>-2`, …
    ///
    /// # Errors
    /// A folder that holds something already, or cannot be made.
    pub fn create(asked: Option<&Path>, stem: &str) -> Result<Self> {
        let root = match asked {
            Some(asked) if is_taken(asked) => {
                return Err(Error::call("the run directory holds something already")
                    .at(asked.display())
                    .next("choose another --out, or go on with `limbeck resume`"));
            }
            Some(asked) => asked.to_path_buf(),
            None => (1..)
                .map(|n| {
                    Path::new("runs").join(if n == 1 { stem.to_string() } else { format!("{stem}-{n}") })
                })
                .find(|candidate| !is_taken(candidate))
                .unwrap_or_else(|| Path::new("runs").join(stem)),
        };
        fs::create_dir_all(root.join("checkpoints")).map_err(|why| {
            Error::call(format!("the run directory cannot be made: {why}"))
                .at(root.display())
                .next("choose another --out, in a folder that may be written to")
        })?;
        let root = std::path::absolute(&root).map_err(|why| Error::writing(&root, why))?;
        Ok(Self { root })
    }

    /// Removes the folder again, if nothing has been written into it.
    pub(super) fn forget(&self) {
        let _ = fs::remove_dir(self.path("checkpoints"));
        let _ = fs::remove_dir(&self.root);
    }

    /// Removes what a killed run left half-written.
    pub(super) fn sweep(&self) {
        for folder in [self.root.clone(), self.path("checkpoints")] {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
            for path in entries.filter(|path| path.extension().is_some_and(|end| end == "partial")) {
                // what cannot be removed is written over later, or was no trouble so far
                let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            }
        }
    }

    /// The folder of a run that was made before.
    ///
    /// # Errors
    /// A folder that holds no run.
    pub fn existing(root: &Path) -> Result<Self> {
        if !root.join("run.ron").is_file() {
            return Err(Error::call("is not a run directory: it holds no run.ron")
                .at(root.display())
                .next("give the folder that `limbeck train` named"));
        }
        let root = std::path::absolute(root).map_err(|why| Error::reading(root, why))?;
        Ok(Self { root })
    }

    /// A path inside the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What was kept under this name, as JSON.
    ///
    /// # Errors
    /// A file that is damaged.
    pub(super) fn recall<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.path(name);
        match fs::read_to_string(&path) {
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(why) => Err(Error::reading(&path, why)),
            Ok(text) => serde_json::from_str(&text).map(Some).map_err(|why| {
                Error::call(format!("is damaged: {why}"))
                    .at(path.display())
                    .next("remove the file, and it is made again")
            }),
        }
    }

    /// Writes a file whole: beside it first, then under its name.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        write_whole(&self.path(name), text.as_bytes())
    }
}

fn is_taken(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(folder.exists(), |mut entries| entries.next().is_some())
}

/// Writes a file whole or not at all.
///
/// # Errors
/// A file that cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".partial");
    let beside = PathBuf::from(beside);
    let written = fs::write(&beside, bytes)
        .and_then(|()| fs::File::open(&beside)?.sync_all())
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|why| {
        let _ = fs::remove_file(&beside);
        Error::writing(path, why)
    })
}
