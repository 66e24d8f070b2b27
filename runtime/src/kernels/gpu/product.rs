//! Products of row-major matrices, in the words of a library whose matrices are column-major.

use super::{Address, Gpu, Held};

/// A matrix that is multiplied: its floats, and the same rounded to halves where somebody has done that already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factor {
    pub floats: Address,
    pub halves: Option<Address>,
}

impl Factor {
    /// A matrix with the halves that [`Gpu::halved`] made of it, if it did.
    pub fn with(floats: Address, halves: Option<&impl Held>) -> Self {
        Self { floats, halves: halves.map(Held::at) }
    }
}

impl From<Address> for Factor {
    fn from(floats: Address) -> Self {
        Self { floats, halves: None }
    }
}

/// `c = a · b`, or `c += a · b`, of packed row-major matrices: `a` `[rows, depth]`, `b` `[depth, columns]`, each
/// perhaps stored as its transpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    pub a: Factor,
    pub b: Factor,
    pub c: Address,
    pub rows: usize,
    pub columns: usize,
    pub depth: usize,
    /// Whether `a` is stored as `[depth, rows]`.
    pub a_turned: bool,
    /// Whether `b` is stored as `[columns, depth]`.
    pub b_turned: bool,
    /// Whether what is in `c` stays and is added to.
    pub adds: bool,
}

/// The same as a column-major library is told it: `cᵀ = bᵀ · aᵀ`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Columns {
    pub first: Address,
    pub second: Address,
    pub c: Address,
    /// Whether both are halves; `c` is floats always.
    pub halved: bool,
    pub turn_first: bool,
    pub turn_second: bool,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub step_first: usize,
    pub step_second: usize,
    pub step_c: usize,
    pub beta: f32,
}

impl Product {
    /// What `cublasSgemm` is given of floats, or `cublasGemmEx` of halves, at these two addresses.
    fn by_columns(&self, [a, b]: [Address; 2], halved: bool) -> Columns {
        Columns {
            first: b,
            second: a,
            c: self.c,
            halved,
            turn_first: self.b_turned,
            turn_second: self.a_turned,
            m: self.columns,
            n: self.rows,
            k: self.depth,
            step_first: if self.b_turned { self.depth } else { self.columns },
            step_second: if self.a_turned { self.rows } else { self.depth },
            step_c: self.columns,
            beta: if self.adds { 1.0 } else { 0.0 },
        }
    }

    /// Carries it out, of halves where the device's products read these: whoever has none yet is cast first.
    pub(super) fn on<G: Gpu>(&self, gpu: &G) -> Result<(), G::Err> {
        let made = |factor: Factor, count: usize| match factor.halves {
            Some(_) => Ok(None),
            None => gpu.halved(factor.floats, count),
        };
        let a = made(self.a, self.rows * self.depth)?;
        let b = made(self.b, self.depth * self.columns)?;
        let halves = |factor: Factor, made: &Option<G::Memory>| factor.halves.or(made.as_ref().map(Held::at));
        gpu.multiply_columns(&match (halves(self.a, &a), halves(self.b, &b)) {
            (Some(a), Some(b)) => self.by_columns([a, b], true),
            _ => self.by_columns([self.a.floats, self.b.floats], false),
        })
    }
}
