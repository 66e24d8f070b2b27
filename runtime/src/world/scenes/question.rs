//! Questions about a scene, and their worked answers.

use super::{Colour, Kind, Scene, Thing};
use crate::rng::Stream;

/// Which things a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Which {
    colour: Option<Colour>,
    kind: Option<Kind>,
}

impl Which {
    fn draw(stream: &mut Stream) -> Self {
        let (colour, kind) = (Colour::ALL[stream.below(4)], Kind::SHAPES[stream.below(4)]);
        match stream.below(4) {
            0 | 1 => Self { colour: Some(colour), kind: None },
            2 => Self { colour: None, kind: Some(kind) },
            _ => Self { colour: Some(colour), kind: Some(kind) },
        }
    }

    fn letters(&self) -> String {
        self.colour.map(Colour::letter).into_iter().chain(self.kind.map(Kind::letter)).collect()
    }

    fn of<'a>(&self, scene: &'a Scene) -> Vec<&'a Thing> {
        let fits = |thing: &&Thing| {
            self.colour.is_none_or(|colour| thing.colour == colour)
                && self.kind.is_none_or(|kind| thing.kind == kind)
        };
        scene.things.iter().filter(fits).collect()
    }
}

/// A question about a scene with its worked answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The question as it stands in the prompt: `#r+#b`.
    pub text: String,
    /// The steps before the result, each with the things it names.
    pub(super) steps: Vec<Step>,
    /// The result.
    pub answer: String,
    /// All that it is about.
    pub(super) about: Vec<Thing>,
}

/// A step: things by name and, of two counts, how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub labels: Vec<String>,
    pub count: Option<usize>,
}

impl Question {
    /// A question of this level, 1 to 4, or none where the scene has nothing for the one that was drawn.
    pub(super) fn draw(scene: &Scene, level: u32, stream: &mut Stream) -> Option<Self> {
        match level {
            1 => {
                let which = Which::draw(stream);
                let found = which.of(scene);
                // that nothing is there is worth a question now and then
                let wanted = !found.is_empty() || stream.below(6) == 0;
                let (text, answer) = (format!("#{}", which.letters()), found.len().to_string());
                wanted.then(|| Self::of(text, &[found], false, answer))
            }
            2 if stream.below(3) == 0 => Self::left_of(scene, stream),
            2 => Self::of_two(scene, stream, ':'),
            3 if stream.below(2) == 0 => Self::of_two(scene, stream, '+'),
            3 => Self::of_two(scene, stream, '-'),
            _ => Self::digits(scene, stream),
        }
    }

    fn of(text: String, found: &[Vec<&Thing>], counted: bool, answer: String) -> Self {
        let step = |things: &Vec<&Thing>| Step {
            labels: things.iter().map(|thing| thing.label()).collect(),
            count: counted.then_some(things.len()),
        };
        let mut about: Vec<Thing> = found.iter().flatten().map(|&&thing| thing).collect();
        about.sort_by_key(|thing| thing.cell);
        about.dedup();
        Self { text, steps: found.iter().map(step).collect(), answer, about }
    }

    fn of_two(scene: &Scene, stream: &mut Stream, operator: char) -> Option<Self> {
        let (one, other) = (Which::draw(stream), Which::draw(stream));
        let found = [one.of(scene), other.of(scene)];
        let (first, second) = (found[0].len(), found[1].len());
        if one == other || first + second == 0 {
            return None;
        }
        let answer = match operator {
            ':' if first > second => "m".to_owned(),
            ':' if first < second => "l".to_owned(),
            ':' => "s".to_owned(),
            '+' => (first + second).to_string(),
            _ => first.checked_sub(second)?.to_string(),
        };
        let hash = if operator == ':' { "" } else { "#" };
        let text = format!("#{}{operator}{hash}{}", one.letters(), other.letters());
        Some(Self::of(text, &found, operator != ':', answer))
    }

    fn left_of(scene: &Scene, stream: &mut Stream) -> Option<Self> {
        let thing = &scene.things[stream.below(scene.things.len())];
        let same = |other: &&Thing| other.label() == thing.label();
        if scene.things.iter().filter(same).count() != 1 {
            return None;
        }
        let row = |thing: &Thing| thing.cell / super::thing::CELLS;
        let before = |other: &&Thing| row(other) == row(thing) && other.cell < thing.cell;
        let next = scene.things.iter().filter(before).next_back();
        let answer = next.map_or_else(|| "n".to_owned(), Thing::label);
        let mut question =
            Self::of(format!("l{}", thing.label()), &[vec![thing]], false, answer);
        question.about.splice(0..0, next.copied());
        Some(question)
    }

    fn digits(scene: &Scene, stream: &mut Stream) -> Option<Self> {
        let colour = Colour::ALL[stream.below(4)];
        let digit = |thing: &Thing| match thing.kind {
            Kind::Digit(digit) => Some(usize::from(digit)),
            _ => None,
        };
        let of_colour = scene.things.iter().filter(|thing| thing.colour == colour);
        let found: Vec<&Thing> = of_colour.filter(|thing| digit(thing).is_some()).collect();
        let sum: usize = found.iter().filter_map(|thing| digit(thing)).sum();
        (!found.is_empty())
            .then(|| Self::of(format!("+{}", colour.letter()), &[found], false, sum.to_string()))
    }

    /// The worked answer; `say` may replace a label or a number on its way.
    pub(super) fn response(&self, mut say: impl FnMut(&str) -> String) -> String {
        let mut steps = Vec::new();
        for Step { labels, count } in &self.steps {
            let named: Vec<String> = labels.iter().map(|label| say(label)).collect();
            let counted = count.map(|count| format!(":{}", say(&count.to_string())));
            steps.push(named.join(",") + &counted.unwrap_or_default());
        }
        format!("{}={}", steps.join(";"), say(&self.answer))
    }

    /// A label and four coordinates, of two digits each, of everything it is about: `ro01020708;bq…`.
    pub fn boxes(&self) -> String {
        let one = |thing: &Thing| {
            let edges: String = thing.bounds().iter().map(|edge| format!("{edge:02}")).collect();
            thing.label() + &edges
        };
        self.about.iter().map(one).collect::<Vec<_>>().join(";")
    }

    /// The box around all that it is about, in whole cells; nothing where it is about nothing.
    pub fn evidence(&self) -> Option<[usize; 4]> {
        let (side, cell) = (super::thing::CELLS, super::thing::CELL);
        let columns = || self.about.iter().map(|thing| thing.cell % side);
        let rows = || self.about.iter().map(|thing| thing.cell / side);
        let (left, top) = (columns().min()?, rows().min()?);
        let (right, bottom) = (columns().max()? + 1, rows().max()? + 1);
        Some([left, top, right, bottom].map(|edge| edge * cell))
    }
}
