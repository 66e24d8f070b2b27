//! Described losses as the kernel reads them.

use crate::kernels::gpu::Plain;
use crate::kernels::token_loss::{Among, Described, Found, Kind, Own, Rest, Teacher};

#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Row {
    sampled: u32,
    parts: u32,
    first: u32,
    kind: u32,
    weight: f32,
    old: f32,
    importance: f32,
    teacher: f32,
    advantage: f32,
    clip_low: f32,
    clip_high: f32,
    gap_mask: f32,
}

#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Part {
    teacher: u64,
    kind: u32,
    support: u32,
    tail: u32,
    count: u32,
    ids: u32,
    narrow: u32,
    weight: f32,
    beta: f32,
    rest: f32,
    gate: f32,
    weighed: u32,
    unused: u32,
}

// SAFETY: twelve numbers of one size.
unsafe impl Plain for Row {}
// SAFETY: a number of eight bytes and twelve of four.
unsafe impl Plain for Part {}
// SAFETY: a number of eight bytes and six of four.
unsafe impl Plain for Found {}

/// The lists that the kernel is given.
pub(super) struct RowTables<'a> {
    pub rows: Vec<Row>,
    pub parts: Vec<Part>,
    pub ids: Vec<u32>,
    /// What teachers say, one after the other.
    pub values: Vec<&'a [f32]>,
}

pub(super) fn tables<'a>(described: &'a [Described<'a>], weights: &[f32]) -> RowTables<'a> {
    let mut tables = RowTables { rows: Vec::new(), parts: Vec::new(), ids: Vec::new(), values: Vec::new() };
    let mut teachers = 0;
    for (row, &weight) in described.iter().zip(weights) {
        let first = tables.parts.len() as u32;
        for part in &row.parts {
            let (values, support, count) = match &part.teacher {
                Teacher::Row(values, among) => {
                    let (support, count) = match *among {
                        Among::All => (0, 0),
                        Among::Student(k) => (1, k),
                        Among::Teacher(k) => (2, k),
                        Among::Union(k) => (3, k),
                        Among::Sampled => (4, 1),
                    };
                    (&values[..], support, count)
                }
                Teacher::Some { ids, values, .. } => (&values[..], 5, ids.len()),
            };
            let (ids, rest, narrow) = match &part.teacher {
                Teacher::Row(..) => (&[][..], 0.0, 0),
                Teacher::Some { ids, rest, narrow, .. } => (&ids[..], *rest, *narrow),
            };
            let (kind, beta) = match part.kind {
                Kind::ForwardKl => (0, 0.0),
                Kind::ReverseKl => (1, 0.0),
                Kind::Jsd { beta } => (2, beta),
            };
            tables.parts.push(Part {
                teacher: teachers,
                kind,
                support,
                tail: match part.rest {
                    Rest::Renormalise => 0,
                    Rest::Bucket => 1,
                    Rest::Drop => 2,
                    Rest::TeacherAlone => 3,
                },
                count: count.min(u32::MAX as usize) as u32,
                ids: tables.ids.len() as u32,
                narrow: narrow.min(u32::MAX as usize) as u32,
                weight: part.weight,
                beta,
                rest,
                gate: part.gate,
                weighed: u32::from(part.weighed),
                unused: 0,
            });
            teachers += values.len() as u64;
            tables.values.push(values);
            tables.ids.extend_from_slice(ids);
        }
        tables.rows.push(Row { first, ..Row::of(row, weight) });
    }
    tables
}

impl Row {
    fn of(row: &Described<'_>, weight: f32) -> Self {
        let mut this = Self {
            sampled: row.sampled,
            parts: row.parts.len() as u32,
            first: 0,
            kind: 0,
            weight,
            old: row.old.unwrap_or(f32::NAN),
            importance: row.importance_clip,
            teacher: f32::NAN,
            advantage: 0.0,
            clip_low: 0.0,
            clip_high: 0.0,
            gap_mask: f32::INFINITY,
        };
        match row.own {
            Own::Nothing => {}
            Own::CrossEntropy => this.kind = 1,
            Own::K2 { teacher } => (this.kind, this.teacher) = (2, teacher),
            Own::K3 { teacher } => (this.kind, this.teacher) = (3, teacher),
            Own::K1 { teacher } => (this.kind, this.teacher) = (4, teacher),
            Own::Clipped { old, teacher, advantage, clip_low, clip_high, gap_mask } => {
                this.kind = 5;
                this.old = old;
                this.teacher = teacher.unwrap_or(f32::NAN);
                (this.advantage, this.clip_low, this.clip_high) = (advantage, clip_low, clip_high);
                this.gap_mask = gap_mask;
            }
            Own::Pulled { teacher } => (this.kind, this.teacher) = (6, teacher),
        }
        this
    }
}
