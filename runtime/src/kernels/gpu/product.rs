//! Products of row-major matrices, in the words of a library whose matrices are column-major.

use super::Address;

/// `c = a · b`, or `c += a · b`, of packed row-major matrices: `a` `[rows, depth]`, `b` `[depth, columns]`, each
/// perhaps stored as its transpose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    pub a: Address,
    pub b: Address,
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
    /// What `cublasSgemm` is given.
    pub fn by_columns(&self) -> Columns {
        Columns {
            first: self.b,
            second: self.a,
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
}
