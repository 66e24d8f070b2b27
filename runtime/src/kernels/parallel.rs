//! Work split over threads in pieces whose size depends on the data alone, never on the number of
//! threads, so that a sum over pieces has the same bits on every machine.

use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Elements in one piece of an elementwise pass: 64 KiB of `f32`.
pub(crate) const PIECE: usize = 16 * 1024;

/// Rows in one piece when a row has `width` elements: at least one.
pub(crate) fn rows_per_piece(width: usize) -> usize {
    (PIECE / width.max(1)).max(1)
}

/// A buffer of `len` values, written in parallel pieces of `piece` values by `fill(start, values)`.
///
/// # Safety
/// `fill` must write every value it is given.
pub(crate) unsafe fn build(
    len: usize,
    piece: usize,
    fill: impl Fn(usize, &mut [MaybeUninit<f32>]) + Sync,
) -> Vec<f32> {
    let mut out = Vec::with_capacity(len);
    each_piece(&mut out.spare_capacity_mut()[..len], piece, fill);
    // SAFETY: the pieces cover all `len` values, and `fill` has written each of them.
    unsafe { out.set_len(len) };
    out
}

/// Memory whose values need not be read any more, for what only writes.
pub(crate) fn unwritten(values: &mut [f32]) -> &mut [MaybeUninit<f32>] {
    // SAFETY: of one layout; only what is in this crate's kernels writes to it, and that writes numbers.
    unsafe { &mut *(std::ptr::from_mut(values) as *mut [MaybeUninit<f32>]) }
}

/// Calls `work(start, values)` for each piece of `values`, in parallel when there is more than one.
pub(crate) fn each_piece<T: Send>(values: &mut [T], piece: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if values.len() <= piece {
        if !values.is_empty() {
            work(0, values);
        }
        return;
    }
    values.par_chunks_mut(piece).enumerate().for_each(|(i, chunk)| work(i * piece, chunk));
}

/// Calls `work` for `0..tasks`, in parallel when there is more than one.
pub(crate) fn each(tasks: usize, work: impl Fn(usize) + Sync + Send) {
    each_with(tasks, || (), |(), task| work(task));
}

/// [`each`], where a thread works through its share of the tasks with the same memory.
pub(crate) fn each_with<T>(
    tasks: usize,
    memory: impl Fn() -> T + Sync + Send,
    work: impl Fn(&mut T, usize) + Sync + Send,
) {
    match tasks {
        0 => {}
        1 => work(&mut memory(), 0),
        _ => (0..tasks).into_par_iter().for_each_init(memory, work),
    }
}

/// Memory that several tasks write, each its own part of it.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T> {
    start: *mut T,
    len: usize,
}

// SAFETY: whoever calls `part` promises that no two tasks hold the same values at a time.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: likewise.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    /// Shares `values` for as long as the caller keeps its borrow of them.
    pub(crate) fn new(values: &mut [T]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len() }
    }

    /// The address of value `at`.
    pub(crate) fn at(&self, at: usize) -> *mut T {
        assert!(at <= self.len, "{at} is past the end, {}", self.len);
        self.start.wrapping_add(at)
    }

    /// Values `at..at + len`.
    ///
    /// # Safety
    /// The memory must still be borrowed by the caller of [`Shared::new`], and nobody else may hold these
    /// values.
    #[allow(clippy::mut_from_ref)] // the point of this type; see its safety contract
    pub(crate) unsafe fn part(&self, at: usize, len: usize) -> &mut [T] {
        assert!(at + len <= self.len, "{at} + {len} is past the end, {}", self.len);
        // SAFETY: inside the memory by the line above, and alone by the contract.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at), len) }
    }
}
