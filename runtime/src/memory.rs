//! What becomes of memory that is freed.

/// Keeps freed memory for the next step instead of giving it back to the system.
///
/// Every step asks for the same large blocks and frees them. By itself, glibc gives such blocks back, and the system
/// clears each page again when it is touched, which can take longer than the work on it. The most memory that a
/// program holds at a time stays what it was. [`limbeck::main`](crate::main) calls this; a program with a `main` of its
/// own may, once, at its start. Elsewhere than on Linux with glibc it does nothing.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const NEVER: libc::c_int = libc::c_int::MAX;
        // SAFETY: these only set numbers that the allocator looks at, and are made to be called at any time.
        unsafe {
            libc::mallopt(libc::M_MMAP_MAX, 0);
            libc::mallopt(libc::M_TRIM_THRESHOLD, NEVER);
            libc::mallopt(libc::M_TOP_PAD, 64 << 20);
            // one heap: what one thread has freed another can use
            libc::mallopt(libc::M_ARENA_MAX, 1);
        }
    }
}
