//! A program in a process of its own, with limits, and gone afterwards with all its children.
//!
//! Between Limbeck and the program stand two small processes: the *keeper*, which is in Limbeck's world, watches the
//! clock and waits until everything has ended, and the *first* process of the program's own namespaces, with whose end
//! the kernel kills every other process in them.

#![allow(unsafe_op_in_unsafe_fn)] // one system call after the other

use std::ffi::CString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::calls::{
    checked, close_all, die_with_parent, kill_the_rest, later, now, told, until, wait_for, write,
};
use super::calls::{LATE, SIGNALS};
use super::folder::Folder;
use super::landlock;

/// The user that tests run as where Limbeck is root.
const NOBODY: u32 = 65534;
/// Processes at once.
const PROCESSES: u64 = 64;
/// The longest file, in bytes.
const FILE: u64 = 16 << 20;
/// What is kept of the output: so much of its beginning, and as much of its end.
const KEPT: usize = 16 << 10;

/// Limits that a user chooses.
pub(super) struct Limits {
    pub(super) time: Duration,
    /// Bytes of a process.
    pub(super) memory: u64,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// By itself: 0, or 1 for any other status.
    Exit(i32),
    /// By a signal.
    Signal(i32),
    /// It was stopped when its time was over.
    Late,
}

/// A program that has ended.
pub(super) struct Ended {
    pub(super) how: How,
    /// What it printed, to either stream.
    pub(super) output: Vec<u8>,
}

/// What a program is kept from on this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confinement {
    /// Namespaces of its own: users and processes.
    pub(super) apart: bool,
    /// The network too.
    pub(super) offline: bool,
    /// The version of Landlock, 0 without.
    pub(super) landlock: i64,
}

impl Confinement {
    /// All that this machine permits.
    ///
    /// # Errors
    /// The network is to be taken away and cannot be; with the next move on a second line.
    pub(super) fn possible(network: bool) -> Result<Self, String> {
        let most = Self { apart: true, offline: !network, landlock: landlock::version() };
        let limits = Limits { time: Duration::from_secs(10), memory: 1 << 30 };
        let tried = |confinement: &Self| {
            let folder = Folder::new()?;
            run(&["true".to_string()], "", folder.path(), &limits, confinement)
        };
        match tried(&most) {
            Ok(_) => Ok(most),
            Err(_) if network && Path::new("/proc/thread-self/children").exists() => {
                Ok(Self { apart: false, ..most })
            }
            Err(why) if network => Err(format!(
                "tests cannot have namespaces of their own here ({why}), and the system does not tell a process's \
                 children\npermit user namespaces, or choose another verifier"
            )),
            Err(why) => Err(format!(
                "tests cannot be kept from the network here, because namespaces of their own or a temporary folder \
                 are refused them ({why})\npermit user namespaces, or write `allow_network: true`"
            )),
        }
    }

    /// What holds and what does not, in words.
    pub(super) fn describe(&self) -> String {
        let network = if self.offline { "no network" } else { "the network is open to them" };
        let children = if self.apart { "" } else { ", any number of processes" };
        let writing = if self.landlock > 0 { "a folder of their own" } else { "wherever their user may" };
        format!("{network}{children}, they write in {writing}")
    }
}

/// The user and group to run as, where it is not Limbeck's own.
pub(super) fn other_user() -> Option<u32> {
    // SAFETY: it takes nothing and cannot fail
    (unsafe { libc::geteuid() } == 0).then_some(NOBODY)
}

/// Runs `command file` in `folder`, and waits until it and all its children have ended.
///
/// # Errors
/// A program that cannot be started so.
pub(super) fn run(
    command: &[String],
    file: &str,
    folder: &Path,
    limits: &Limits,
    confinement: &Confinement,
) -> io::Result<Ended> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let (mut output, input) = io::pipe()?;
    let child = {
        let mut command = Command::new(program);
        command.args(arguments).args(Some(file).filter(|file| !file.is_empty())).current_dir(folder);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        command.stdin(Stdio::null()).stdout(input.try_clone()?).stderr(input);
        let inside = Inside::new(folder, limits, *confinement)?;
        // SAFETY: between `fork` and `exec` `enter` makes system calls only; all memory it needs was made before
        unsafe { command.pre_exec(move || inside.enter()) };
        // the command holds the pipe's end, and goes here
        command.spawn()
    };
    let mut child = child?;
    let output = kept(&mut output)?;
    let status = child.wait()?;
    let how = match (status.code(), status.signal()) {
        (Some(LATE), _) => How::Late,
        (Some(code), _) if code > SIGNALS => How::Signal(code - SIGNALS),
        (Some(code), _) => How::Exit(code),
        (_, signal) => How::Signal(signal.unwrap_or_default()),
    };
    Ok(Ended { how, output })
}

/// Reads to the end and keeps the beginning and the end.
fn kept(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(kept),
            Ok(read) => kept.extend_from_slice(&buffer[..read]),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
        if kept.len() > 4 * KEPT {
            kept.drain(KEPT..kept.len() - KEPT);
        }
    }
}

/// All that is needed between `fork` and `exec`, made before.
struct Inside {
    folder: CString,
    /// The lines of the maps of users and groups.
    users: CString,
    groups: CString,
    limbeck: libc::pid_t,
    user: Option<u32>,
    time: libc::timespec,
    memory: u64,
    confinement: Confinement,
}

impl Inside {
    fn new(folder: &Path, limits: &Limits, confinement: Confinement) -> io::Result<Self> {
        let user = other_user();
        // SAFETY: they take nothing and cannot fail
        let (me, us) = unsafe { (libc::geteuid(), libc::getegid()) };
        let map = |id: u32| CString::new(format!("{id} {id} 1\n"));
        Ok(Self {
            folder: CString::new(folder.as_os_str().as_bytes())?,
            users: map(user.unwrap_or(me))?,
            groups: map(user.unwrap_or(us))?,
            limbeck: std::process::id() as libc::pid_t,
            user,
            time: libc::timespec {
                tv_sec: limits.time.as_secs() as libc::time_t,
                tv_nsec: limits.time.subsec_nanos().into(),
            },
            memory: limits.memory,
            confinement,
        })
    }

    /// Becomes the program's process; the processes that watch over it never return from here.
    fn enter(&self) -> io::Result<()> {
        // SAFETY: system calls with numbers, and with texts that end with a 0 and live as long as `self`
        unsafe {
            self.become_keeper()?;
            let program = checked(libc::fork())?;
            if program > 0 {
                self.keep(program);
            }
            die_with_parent()?;
            checked(libc::setpgid(0, 0))?;
            if self.confinement.apart {
                // the first process of the namespace: what it waits for is the program
                let program = checked(libc::fork())?;
                if program > 0 {
                    close_all(0);
                    libc::_exit(wait_for(program));
                }
            }
            self.limit()
        }
    }

    /// What the keeper must be before there is something to keep.
    unsafe fn become_keeper(&self) -> io::Result<()> {
        checked(libc::setpgid(0, 0))?;
        if let Some(user) = self.user {
            checked(libc::setgroups(0, std::ptr::null()))?;
            checked(libc::setresgid(user, user, user))?;
            checked(libc::setresuid(user, user, user))?;
            // otherwise the maps below would belong to root
            checked(libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0))?;
        }
        die_with_parent()?;
        if libc::getppid() != self.limbeck {
            libc::_exit(1);
        }
        if self.confinement.apart {
            let network = if self.confinement.offline { libc::CLONE_NEWNET } else { 0 };
            let kinds = libc::CLONE_NEWUSER | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | network;
            checked(libc::unshare(kinds))?;
            write(c"/proc/self/setgroups", c"deny")?;
            write(c"/proc/self/uid_map", &self.users)?;
            write(c"/proc/self/gid_map", &self.groups)?;
        } else {
            checked(libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))?;
        }
        // so that the end of the program can be waited for with a clock
        let mut signals = std::mem::zeroed();
        libc::sigemptyset(&mut signals);
        libc::sigaddset(&mut signals, libc::SIGCHLD);
        checked(libc::sigprocmask(libc::SIG_BLOCK, &signals, std::ptr::null_mut())).map(drop)
    }

    /// The keeper's life: waits for the program or the end of its time, and until nothing of it is left.
    unsafe fn keep(&self, program: libc::pid_t) -> ! {
        // the pipes are the program's; as long as somebody holds them Limbeck waits
        close_all(0);
        let mut signals = std::mem::zeroed();
        libc::sigemptyset(&mut signals);
        libc::sigaddset(&mut signals, libc::SIGCHLD);
        let end = later(now(), self.time);
        let mut status = 0;
        let told = loop {
            let ended = libc::waitpid(program, &mut status, libc::WNOHANG);
            if ended == program {
                break told(status, self.confinement.apart);
            }
            let left = until(end);
            if ended < 0 || left.tv_sec < 0 {
                libc::kill(-program, libc::SIGKILL);
                libc::kill(program, libc::SIGKILL);
                libc::waitpid(program, &mut status, 0);
                break LATE;
            }
            libc::sigtimedwait(&signals, std::ptr::null_mut(), &left);
        };
        if !self.confinement.apart {
            kill_the_rest(program);
        }
        libc::_exit(told)
    }

    /// The limits of the program itself, just before it begins.
    unsafe fn limit(&self) -> io::Result<()> {
        let mut signals = std::mem::zeroed();
        libc::sigemptyset(&mut signals);
        checked(libc::sigprocmask(libc::SIG_SETMASK, &signals, std::ptr::null_mut()))?;
        checked(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
        if self.confinement.landlock > 0 {
            landlock::confine(&self.folder, self.confinement.landlock)?;
        }
        let seconds = u64::try_from(self.time.tv_sec).unwrap_or(0) + 1;
        let resources = [
            (libc::RLIMIT_AS, self.memory),
            (libc::RLIMIT_CPU, seconds),
            (libc::RLIMIT_FSIZE, FILE),
            (libc::RLIMIT_NOFILE, 256),
            (libc::RLIMIT_CORE, 0),
            // counted by user and namespace: without one all processes of the user would be
            (libc::RLIMIT_NPROC, PROCESSES),
        ];
        for (resource, most) in &resources[..resources.len() - usize::from(!self.confinement.apart)] {
            let limit = libc::rlimit { rlim_cur: *most, rlim_max: *most };
            checked(libc::setrlimit(*resource, &limit))?;
        }
        Ok(())
    }
}
