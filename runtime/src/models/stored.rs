//! A tensor that stays in its file, mapped into memory, and becomes `f32` when it is asked for.

use super::weights::Spec;
use crate::error::{Error, Result};
use crate::kernels::exp::all_finite;
use crate::kernels::parallel::{build, PIECE};
use half::f16;
use half::slice::HalfFloatSliceExt;
use memmap2::Mmap;
use safetensors::Dtype;
use std::fs::File;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// A file of weights, mapped into memory.
#[derive(Debug)]
pub(super) struct MappedFile {
    path: PathBuf,
    file: File,
    bytes: Mmap,
    modified: Option<SystemTime>,
}

impl MappedFile {
    /// Maps the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: PathBuf) -> Result<Self> {
        let failed = |why| Error::reading(&path, why);
        let file = File::open(&path).map_err(failed)?;
        // SAFETY: the mapping is read-only; a file that another program shortens meanwhile would stop this one,
        // as with every memory-mapped checkpoint reader.
        let bytes = unsafe { Mmap::map(&file) }.map_err(failed)?;
        let modified = file.metadata().map_err(failed)?.modified().ok();
        Ok(Self { path, file, bytes, modified })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets the system take back the memory behind `range` of the bytes: reading them again reads the file again.
    fn let_go(&self, range: &Range<usize>) {
        // SAFETY: the mapping is read-only and of a file, so that what is read there stays the same; advice that the
        // system does not take costs memory, and nothing else.
        #[cfg(unix)]
        let _ = unsafe {
            self.bytes.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len())
        };
    }

    /// # Errors
    /// When somebody has written into it since it was opened.
    fn unchanged(&self) -> Result<()> {
        let now = self.file.metadata().map_err(|why| Error::reading(&self.path, why))?;
        if now.modified().ok() == self.modified && now.len() == self.bytes.len() as u64 {
            return Ok(());
        }
        Err(Error::run("the weights have changed while they were in use").at(self.path.display()).next(
            "leave a teacher's folder alone while a run reads it, or write a new one and put it in the place of the old",
        ))
    }
}

/// A tensor in such a file.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    file: Arc<MappedFile>,
    range: Range<usize>,
    dtype: Dtype,
}

impl Stored {
    /// The tensor that `spec` describes, `range` of `file`'s bytes, and its values.
    ///
    /// # Errors
    /// A type that cannot be read, another number of values, numbers that are not finite.
    pub fn new(
        file: &Arc<MappedFile>,
        range: Range<usize>,
        dtype: Dtype,
        spec: &Spec,
    ) -> Result<(Self, Vec<f32>)> {
        let wrong =
            |what: String| Error::call(format!("tensor `{}` {what}", spec.name)).at(file.path.display());
        if !matches!(dtype, Dtype::F32 | Dtype::BF16 | Dtype::F16) {
            return Err(wrong(format!("is of type {dtype:?}; F32, BF16 and F16 can be read")));
        }
        let stored = Self { file: Arc::clone(file), range, dtype };
        let count = stored.range.len() / stored.width();
        if count != spec.len() || !stored.range.len().is_multiple_of(stored.width()) {
            return Err(wrong(format!("has {count} values instead of {}", spec.len())));
        }
        let values = stored.as_it_is();
        file.let_go(&stored.range);
        match all_finite(&values) {
            true => Ok((stored, values)),
            false => Err(wrong("holds numbers that are not finite".into())),
        }
    }

    /// Bytes a value.
    fn width(&self) -> usize {
        if self.dtype == Dtype::F32 {
            4
        } else {
            2
        }
    }

    /// All values. What the mapping held of them is let go: a model that waits takes no memory.
    ///
    /// # Errors
    /// When the file has changed.
    pub fn values(&self) -> Result<Vec<f32>> {
        self.file.unchanged()?;
        let values = self.as_it_is();
        self.file.let_go(&self.range);
        Ok(values)
    }

    /// All values, whatever has happened to the file.
    pub fn as_it_is(&self) -> Vec<f32> {
        self.read(0..self.range.len() / self.width())
    }

    /// Rows `rows` of a matrix with so many columns.
    ///
    /// # Errors
    /// When the file has changed.
    pub fn rows(&self, rows: &[u32], columns: usize) -> Result<Vec<f32>> {
        self.file.unchanged()?;
        Ok(rows
            .iter()
            .flat_map(|&row| self.read(row as usize * columns..(row as usize + 1) * columns))
            .collect())
    }

    fn read(&self, values: Range<usize>) -> Vec<f32> {
        let bytes =
            &self.file.bytes[self.range.clone()][values.start * self.width()..values.end * self.width()];
        // SAFETY: `convert` writes as many values as it is given.
        unsafe {
            build(values.len(), PIECE, |start, out| {
                let end = start + out.len();
                convert(self.dtype, &bytes[start * self.width()..end * self.width()], out);
            })
        }
    }
}

/// Little-endian `bytes` as `f32`, one value for each place of `out`.
fn convert(dtype: Dtype, bytes: &[u8], out: &mut [MaybeUninit<f32>]) {
    match dtype {
        Dtype::F16 => {
            // as many at once as the processor's own conversion likes
            let mut half = [f16::ZERO; 64];
            let mut whole = [0.0; 64];
            for (bytes, out) in bytes.chunks(2 * half.len()).zip(out.chunks_mut(half.len())) {
                let pairs = bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]));
                half.iter_mut().zip(pairs).for_each(|(half, value)| *half = value);
                half[..out.len()].convert_to_f32_slice(&mut whole[..out.len()]);
                fill(out, whole.into_iter());
            }
        }
        Dtype::BF16 => {
            let bits = bytes.chunks_exact(2).map(|b| u32::from(u16::from_le_bytes([b[0], b[1]])) << 16);
            fill(out, bits.map(f32::from_bits));
        }
        _ => fill(out, bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))),
    }
}

fn fill(out: &mut [MaybeUninit<f32>], values: impl Iterator<Item = f32>) {
    for (out, value) in out.iter_mut().zip(values) {
        out.write(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::bf16;

    #[test]
    fn every_type_is_read_as_its_own_library_reads_it() {
        let values: Vec<f32> = (0..150).map(|i| (i as f32 - 70.0) * 0.37).collect();
        let read = |dtype, bytes: Vec<u8>| {
            let mut out = vec![MaybeUninit::new(0.0f32); values.len()];
            convert(dtype, &bytes, &mut out);
            // SAFETY: written before it was passed.
            out.into_iter().map(|v| unsafe { v.assume_init() }).collect::<Vec<f32>>()
        };
        assert_eq!(read(Dtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect()), values);
        let half: Vec<f16> = values.iter().map(|&v| f16::from_f32(v)).collect();
        let bytes = half.iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(read(Dtype::F16, bytes), half.iter().map(|v| v.to_f32()).collect::<Vec<_>>());
        let brief: Vec<bf16> = values.iter().map(|&v| bf16::from_f32(v)).collect();
        let bytes = brief.iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(read(Dtype::BF16, bytes), brief.iter().map(|v| v.to_f32()).collect::<Vec<_>>());
    }
}
