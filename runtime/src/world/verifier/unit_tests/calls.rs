//! The system calls of the small processes around a program. All of them may stand between `fork` and `exec`: they
//! take no memory and no lock.

#![allow(unsafe_op_in_unsafe_fn)] // one system call after the other

use std::io;

/// The keeper's exit statuses; a signal is told above these.
pub(super) const LATE: i32 = 3;
pub(super) const SIGNALS: i32 = 64;

pub(super) fn checked(answer: libc::c_int) -> io::Result<libc::c_int> {
    if answer < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(answer)
    }
}

pub(super) unsafe fn die_with_parent() -> io::Result<()> {
    checked(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0)).map(drop)
}

pub(super) unsafe fn close_all(from: libc::c_uint) {
    libc::syscall(libc::SYS_close_range, from, libc::c_uint::MAX, 0);
}

pub(super) unsafe fn write(path: &std::ffi::CStr, text: &std::ffi::CStr) -> io::Result<()> {
    let file = checked(libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC))?;
    let bytes = text.to_bytes();
    let written = libc::write(file, bytes.as_ptr().cast(), bytes.len());
    let failed = io::Error::last_os_error();
    libc::close(file);
    if written < 0 {
        Err(failed)
    } else {
        Ok(())
    }
}

/// Waits for `program`, and for whatever else ends meanwhile; how it ended, as the keeper tells it.
pub(super) unsafe fn wait_for(program: libc::pid_t) -> i32 {
    let mut status = 0;
    loop {
        let ended = libc::waitpid(-1, &mut status, 0);
        if ended == program {
            return told(status, false);
        }
        if ended < 0 && io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return 1;
        }
    }
}

/// An exit status for how a process ended; `passed_on`: it is the status of one that told so itself.
pub(super) fn told(status: i32, passed_on: bool) -> i32 {
    if libc::WIFSIGNALED(status) {
        return SIGNALS + libc::WTERMSIG(status);
    }
    let code = libc::WEXITSTATUS(status);
    if passed_on {
        code
    } else {
        i32::from(code != 0)
    }
}

/// Kills what is left where there is no namespace: the program's group, and every process that came to the keeper
/// because its parent ended, until there is none.
pub(super) unsafe fn kill_the_rest(group: libc::pid_t) {
    loop {
        libc::kill(-group, libc::SIGKILL);
        let file = libc::open(c"/proc/thread-self/children".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        let mut text = [0u8; 4096];
        let read = libc::read(file, text.as_mut_ptr().cast(), text.len());
        libc::close(file);
        let mut child: libc::pid_t = 0;
        for byte in &text[..usize::try_from(read).unwrap_or(0)] {
            if byte.is_ascii_digit() {
                child = child.wrapping_mul(10).wrapping_add((byte - b'0').into());
            } else {
                if child > 1 {
                    libc::kill(child, libc::SIGKILL);
                }
                child = 0;
            }
        }
        if libc::waitpid(-1, std::ptr::null_mut(), 0) < 0 {
            return;
        }
    }
}

pub(super) unsafe fn now() -> libc::timespec {
    let mut now = std::mem::zeroed();
    libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now);
    now
}

pub(super) fn later(mut from: libc::timespec, by: libc::timespec) -> libc::timespec {
    from.tv_sec += by.tv_sec;
    from.tv_nsec += by.tv_nsec;
    if from.tv_nsec >= 1_000_000_000 {
        from.tv_sec += 1;
        from.tv_nsec -= 1_000_000_000;
    }
    from
}

/// How long it is until `end`; with seconds below 0 when it is over.
pub(super) unsafe fn until(end: libc::timespec) -> libc::timespec {
    let now = now();
    let mut left = libc::timespec { tv_sec: end.tv_sec - now.tv_sec, tv_nsec: end.tv_nsec - now.tv_nsec };
    if left.tv_nsec < 0 {
        left.tv_sec -= 1;
        left.tv_nsec += 1_000_000_000;
    }
    left
}
