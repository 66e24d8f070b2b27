//! A folder for one run of tests.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A fresh folder among the system's temporary ones, removed with all that is in it.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("limbeck-tests-{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                // what an earlier process of this number left behind
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
                Err(why) => return Err(why),
                Ok(()) => return Self(path).owned(),
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Lets nobody else in, and gives it to the user that the tests run as.
    #[cfg(target_os = "linux")]
    fn owned(self) -> io::Result<Self> {
        use std::os::unix::fs::{chown, PermissionsExt};
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700))?;
        if let Some(user) = super::sandbox::other_user() {
            chown(&self.0, Some(user), Some(user))?;
        }
        Ok(self)
    }

    #[cfg(not(target_os = "linux"))]
    fn owned(self) -> io::Result<Self> {
        Ok(self)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> io::Result<()> {
        fs::write(self.0.join(name), text)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
