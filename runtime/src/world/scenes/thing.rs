//! What stands in a scene, and where.

use crate::rng::Stream;

/// Cells to a side.
pub(super) const CELLS: usize = 4;

/// Pixels to a side of a cell.
pub(super) const CELL: usize = 8;

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// `r`
    Red,
    /// `g`
    Green,
    /// `b`
    Blue,
    /// `y`
    Yellow,
}

impl Colour {
    /// Every colour.
    pub const ALL: [Self; 4] = [Self::Red, Self::Green, Self::Blue, Self::Yellow];

    /// Its letter.
    pub fn letter(self) -> char {
        ['r', 'g', 'b', 'y'][self as usize]
    }
}

/// A shape, or a digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `o`
    Circle,
    /// `q`
    Square,
    /// `a`
    Triangle,
    /// `x`
    Cross,
    /// From 0 to 9.
    Digit(u8),
}

impl Kind {
    /// Every shape.
    pub const SHAPES: [Self; 4] = [Self::Circle, Self::Square, Self::Triangle, Self::Cross];

    /// Its letter, or the digit.
    pub fn letter(self) -> char {
        match self {
            Self::Circle => 'o',
            Self::Square => 'q',
            Self::Triangle => 'a',
            Self::Cross => 'x',
            Self::Digit(digit) => char::from(b'0' + digit),
        }
    }
}

/// A thing in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thing {
    /// What colour it has.
    pub colour: Colour,
    /// What it is.
    pub kind: Kind,
    /// Its cell, counted row by row.
    pub cell: usize,
    /// How far it is moved right and down within its cell, in pixels.
    pub(super) shift: [usize; 2],
}

impl Thing {
    /// Colour and kind: `ro`, `b7`.
    pub fn label(&self) -> String {
        [self.colour.letter(), self.kind.letter()].iter().collect()
    }

    /// Its row of cells.
    pub fn row(&self) -> usize {
        self.cell / CELLS
    }

    /// Its pixels: from column `[0]` and row `[1]` to before column `[2]` and row `[3]`.
    pub fn bounds(&self) -> [usize; 4] {
        let (width, height) = match self.kind {
            Kind::Digit(_) => (3, 5),
            _ => (6, 6),
        };
        let left = self.cell % CELLS * CELL + self.shift[0];
        let top = self.cell / CELLS * CELL + self.shift[1];
        [left, top, left + width, top + height]
    }
}

/// Things in reading order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The things.
    pub things: Vec<Thing>,
}

impl Scene {
    /// So many things, from the fewest to the most, in cells of their own; one in three is a digit.
    pub(super) fn draw(stream: &mut Stream, (fewest, most): (usize, usize)) -> Self {
        let count = fewest + stream.below(most - fewest + 1);
        let mut cells: Vec<usize> = (0..CELLS * CELLS).collect();
        for at in 0..count {
            let other = at + stream.below(cells.len() - at);
            cells.swap(at, other);
        }
        cells.truncate(count);
        cells.sort_unstable();
        let thing = |cell: usize| {
            let colour = Colour::ALL[stream.below(4)];
            let (digit, shape) = (stream.below(10) as u8, stream.below(6));
            let kind = Kind::SHAPES.get(shape).copied().unwrap_or(Kind::Digit(digit));
            // a digit is narrower, and stands nearer to the middle
            let least = usize::from(matches!(kind, Kind::Digit(_)));
            Thing { colour, kind, cell, shift: [least + stream.below(3), stream.below(3)] }
        };
        Self { things: cells.into_iter().map(thing).collect() }
    }

    /// What is there without its places, in words that a tokenizer of scenes knows: `ro;b7;b7`.
    pub fn caption(&self) -> String {
        let mut labels: Vec<String> = self.things.iter().map(Thing::label).collect();
        labels.sort_unstable();
        labels.join(";")
    }

    /// All that makes it what it is, as text.
    pub(super) fn body(&self) -> String {
        self.things.iter().map(|thing| format!("{}{:x}", thing.label(), thing.cell)).collect()
    }
}
