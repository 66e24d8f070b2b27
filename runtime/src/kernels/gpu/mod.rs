//! What the kernels' GPU sides have in common: a device that runs functions by name on addresses.
//!
//! How a kernel is launched (its grid, its arguments, its helper arrays) is written once, over [`Gpu`], in the
//! operation's `gpu.rs`. Two things run it: the CUDA driver, and in tests a shim that compiles the very same CUDA
//! sources for the CPU.

#[cfg(feature = "cuda")]
pub(crate) mod cuda;
#[cfg(test)]
pub(crate) mod emulated;
mod pointer;
mod product;
#[cfg(test)]
mod tests;

pub(crate) use product::{Columns, Factor, Product};

use std::mem::size_of_val;

/// Where something lies in the memory of a device.
pub(crate) type Address = u64;

/// The CUDA sources, each of an operation, in the order in which they are compiled.
pub(crate) const SOURCES: [(&str, &str); 14] = [
    ("add", include_str!("../add/op.cu")),
    ("adamw", include_str!("../adamw/op.cu")),
    ("attention", include_str!("../attention/op.cu")),
    ("decode_attention", include_str!("../decode_attention/op.cu")),
    ("gelu", include_str!("../gelu/op.cu")),
    ("half", include_str!("../half/op.cu")),
    ("layer_norm", include_str!("../layer_norm/op.cu")),
    ("linear", include_str!("../linear/op.cu")),
    ("rms_norm", include_str!("../rms_norm/op.cu")),
    ("sample", include_str!("../sample/op.cu")),
    ("select_rows", include_str!("../select_rows/op.cu")),
    ("splice", include_str!("../splice/op.cu")),
    ("swiglu", include_str!("../swiglu/op.cu")),
    ("vocabulary_loss", include_str!("../vocabulary_loss/op.cu")),
];

/// What stands before all of them.
const COMMON: &str = include_str!("common.cuh");

/// Everything as one source: each operation has a namespace for its helpers.
pub(crate) fn source() -> String {
    let operation = |(name, text): &(&str, &str)| format!("namespace of_{name} {{\n{text}\n}}\n");
    format!("{COMMON}\n{}", SOURCES.iter().map(operation).collect::<String>())
}

/// The functions in it that can be launched.
pub(crate) fn functions() -> Vec<String> {
    let mut names = Vec::new();
    for (_, text) in SOURCES {
        for after in text.split("extern \"C\" __global__ void").skip(1) {
            let head = after.split("{").next().unwrap_or_default();
            let head = head.trim_start().strip_prefix("__launch_bounds__").map_or(head, |rest| {
                let mut depth = 0;
                let end = rest.find(|c| {
                    depth += i32::from(c == '(') - i32::from(c == ')');
                    depth == 0
                });
                &rest[end.map_or(0, |end| end + 1)..]
            });
            let name = head.split('(').next().unwrap_or_default().replace(['\\', '\n'], " ");
            let name = name.trim();
            match name.strip_suffix("_##D") {
                Some(stem) => names.extend(WIDTHS.map(|width| format!("{stem}_{width}"))),
                None => names.push(name.to_string()),
            }
        }
    }
    names
}

/// The widest heads that the kernels of attention are made for.
pub(crate) const WIDTHS: [usize; 4] = [32, 64, 128, 256];

/// What a kernel is given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    /// Where something lies.
    At(Address),
    /// A `u32`.
    U32(u32),
    /// A `u64`.
    U64(u64),
    /// A `float`.
    F32(f32),
    /// A `double`.
    F64(f64),
}

impl Argument {
    /// Where its value lies on the host.
    pub fn pointer(&self) -> *mut std::ffi::c_void {
        match self {
            Self::At(x) | Self::U64(x) => std::ptr::from_ref(x) as *mut _,
            Self::U32(x) => std::ptr::from_ref(x) as *mut _,
            Self::F32(x) => std::ptr::from_ref(x) as *mut _,
            Self::F64(x) => std::ptr::from_ref(x) as *mut _,
        }
    }
}

/// How many blocks, across and down, and how many threads each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid(pub usize, pub usize, pub usize);

impl Grid {
    /// For `count` values, of which threads take several where there are very many.
    pub fn of(count: usize) -> Self {
        Self(count.div_ceil(256).clamp(1, 4096), 1, 256)
    }

    /// For rows of `width` values, a block each.
    pub fn of_rows(rows: usize, width: usize) -> Self {
        Self(rows, 1, width.next_multiple_of(32).clamp(32, 256))
    }
}

/// Types that are nothing but their bytes.
///
/// # Safety
/// No padding, and every pattern of bits is a value.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: numbers are.
unsafe impl Plain for u8 {}
// SAFETY: likewise.
unsafe impl Plain for u32 {}
// SAFETY: likewise.
unsafe impl Plain for u64 {}
// SAFETY: likewise.
unsafe impl Plain for f32 {}
// SAFETY: likewise.
unsafe impl Plain for f64 {}

/// The bytes of `values`.
pub(crate) fn bytes<T: Plain>(values: &[T]) -> &[u8] {
    // SAFETY: the values are nothing but their bytes.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// The bytes of `values`, for writing.
pub(crate) fn bytes_mut<T: Plain>(values: &mut [T]) -> &mut [u8] {
    // SAFETY: the values are nothing but their bytes, and any bytes are values.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size_of_val(values)) }
}

/// Memory of a device, given back when dropped.
pub(crate) trait Held {
    /// Where it lies.
    fn at(&self) -> Address;
}

/// A device that the kernels run on. Work is done in the order it is asked for.
pub(crate) trait Gpu: Sized {
    /// What can go wrong.
    type Err;
    /// Memory of it.
    type Memory: Held + 'static;

    /// Runs a kernel. What it is given must be what its source asks for.
    fn launch(&self, function: &str, grid: Grid, arguments: &[Argument]) -> Result<(), Self::Err>;

    /// Memory of so many bytes, whatever is in it.
    fn memory(&self, bytes: usize) -> Result<Self::Memory, Self::Err>;

    /// Writes bytes of the host to `to`.
    fn write(&self, to: Address, bytes: &[u8]) -> Result<(), Self::Err>;

    /// Reads bytes from `from`, when all that was asked for before is done.
    fn read(&self, from: Address, into: &mut [u8]) -> Result<(), Self::Err>;

    /// Whether products read what they multiply rounded to halves.
    fn halves(&self) -> bool;

    /// A product as a column-major library does it, summed in `f32`.
    fn multiply_columns(&self, product: &Columns) -> Result<(), Self::Err>;

    /// A product of matrices, written to an address or added to what is there.
    fn multiply(&self, product: &Product) -> Result<(), Self::Err> {
        product.on(self)
    }

    /// `count` floats from `from` on as products read them, for more than one product; none where these read floats.
    fn halved(&self, from: Address, count: usize) -> Result<Option<Self::Memory>, Self::Err> {
        self.halves().then(|| super::half::gpu::halves(self, from, count)).transpose()
    }

    /// A copy of `values` on the device.
    fn keep<T: Plain>(&self, values: &[T]) -> Result<Self::Memory, Self::Err> {
        let memory = self.memory(size_of_val(values).max(8))?;
        if !values.is_empty() {
            self.write(memory.at(), bytes(values))?;
        }
        Ok(memory)
    }

    /// Memory for `count` values of 4 bytes.
    fn words(&self, count: usize) -> Result<Self::Memory, Self::Err> {
        self.memory((count * 4).max(8))
    }

    /// `count` values from `from` on.
    fn take<T: Plain + Default>(&self, from: Address, count: usize) -> Result<Vec<T>, Self::Err> {
        let mut values = vec![T::default(); count];
        if count > 0 {
            self.read(from, bytes_mut(&mut values))?;
        }
        Ok(values)
    }
}

/// The address of value `index` (of 4 bytes) from `at` on.
pub(crate) fn past(at: Address, index: usize) -> Address {
    at + 4 * index as u64
}
