//! Two ways to write that never harm what was there: append whole or not at all, replace whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A file that only grows. A record that cannot be written whole (a full disk) leaves no half behind.
#[derive(Debug)]
pub(super) struct Appender {
    path: PathBuf,
    file: File,
    len: u64,
}

impl Appender {
    /// Goes on at the end of `path`; the file is made if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let open = || -> io::Result<(File, u64)> {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            let len = file.metadata()?.len();
            Ok((file, len))
        };
        let (file, len) = open().map_err(|why| Error::writing(path, why))?;
        Ok(Self { path: path.to_owned(), file, len })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn append(&mut self, record: &[u8]) -> Result<()> {
        if let Err(why) = self.file.write_all(record) {
            // The records before this one are worth more than the half of it.
            let _ = self.file.set_len(self.len);
            return Err(Error::writing(&self.path, why));
        }
        self.len += record.len() as u64;
        Ok(())
    }
}

/// Puts what `fill` writes in the place of `path`: in a neighbour first, which is then renamed.
pub(super) fn replace(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let write = || -> io::Result<()> {
        let mut file = BufWriter::new(File::create(&part)?);
        fill(&mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    write().map_err(|why| {
        let _ = fs::remove_file(&part);
        Error::writing(path, why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_that_fails_leaves_the_old_file_and_no_part() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        fs::write(&path, "old").unwrap();
        let failed = replace(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("no space left on device"))
        });
        let message = failed.unwrap_err().to_string();
        assert!(message.contains("no space left") && message.contains("report.html"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_in_no_folder_is_an_error_with_its_path() {
        let missing = Path::new("/nowhere/at/all/metrics.jsonl");
        assert!(Appender::open(missing).unwrap_err().to_string().contains("/nowhere"));
        assert!(replace(missing, |_| Ok(())).is_err());
        assert!(replace(Path::new("/"), |_| Ok(())).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_that_names_the_file() {
        let mut full = Appender::open(Path::new("/dev/full")).unwrap();
        let error = full.append(b"line\n").unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(error.to_string().starts_with("/dev/full: cannot be written"));
    }
}
