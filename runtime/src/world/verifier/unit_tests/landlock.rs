//! Landlock: a program writes in one folder and nowhere else. Linux 5.13 and later.

use std::ffi::CStr;
use std::io;

const CREATE_RULESET: libc::c_long = 444;
const ADD_RULE: libc::c_long = 445;
const RESTRICT_SELF: libc::c_long = 446;
/// Asks for the version instead of making a set of rules.
const VERSION: libc::c_ulong = 1;
const PATH_BENEATH: libc::c_long = 1;

/// Writing to files, removing, making anything: the rights of the first version.
const WRITING: u64 = 1 << 1 | 0b1_1111_1111 << 4;
const WRITE_FILE: u64 = 1 << 1;
/// Moving between folders: the second version.
const REFER: u64 = 1 << 13;
/// Shortening files: the third.
const TRUNCATE: u64 = 1 << 14;

#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: i32,
}

/// The version of Landlock here, 0 where there is none.
pub(super) fn version() -> i64 {
    // SAFETY: with a null pointer and size 0 the call reads no memory and answers a number
    let version = unsafe { libc::syscall(CREATE_RULESET, std::ptr::null::<u8>(), 0usize, VERSION) };
    version.max(0)
}

/// From here on this process and its children write only in `folder` and to `/dev/null`.
///
/// It makes system calls and nothing else, so it may stand between `fork` and `exec`.
///
/// # Errors
/// What the system refuses.
pub(super) fn confine(folder: &CStr, version: i64) -> io::Result<()> {
    let mut rights = WRITING;
    if version >= 2 {
        rights |= REFER;
    }
    if version >= 3 {
        rights |= TRUNCATE;
    }
    // SAFETY: the attribute is 8 bytes that live through the call
    let rules = unsafe { libc::syscall(CREATE_RULESET, &raw const rights, 8usize, 0usize) };
    let rules = checked(rules)? as i32;
    allow(rules, folder, rights)?;
    allow(rules, c"/dev/null", rights & (WRITE_FILE | TRUNCATE))?;
    // SAFETY: plain numbers
    checked(unsafe { libc::syscall(RESTRICT_SELF, rules, 0usize) })?;
    // SAFETY: the set of rules is this function's own, and is not used again
    unsafe { libc::close(rules) };
    Ok(())
}

fn allow(rules: i32, path: &CStr, rights: u64) -> io::Result<()> {
    // SAFETY: the path ends with a 0
    let parent = unsafe { libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) };
    checked(parent.into())?;
    let rule = PathBeneath { allowed: rights, parent };
    // SAFETY: the rule has the layout that this kind of rule has, and lives through the call
    let done = unsafe { libc::syscall(ADD_RULE, rules, PATH_BENEATH, &raw const rule, 0usize) };
    // SAFETY: opened above, and not used again
    unsafe { libc::close(parent) };
    checked(done).map(drop)
}

fn checked(answer: i64) -> io::Result<i64> {
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(answer)
    }
}
