//! Questions about a scene, and their worked answers.

use super::thing::{CELL, CELLS};
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

    fn letter(&self) -> Option<char> {
        self.colour.map(Colour::letter)
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
    /// The steps before the result.
    pub(super) steps: Vec<Step>,
    /// The result.
    pub answer: String,
    /// All that it is about.
    pub(super) about: Vec<Thing>,
}

/// A step: what is seen and, of two steps, what it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub seen: Vec<String>,
    pub total: Option<usize>,
    /// The letter of the colour it is about, if it is about one.
    pub letter: Option<char>,
}

impl Step {
    /// These things in reading order; `n` where there are none.
    fn of(letter: Option<char>, things: &[&Thing], counted: bool) -> Self {
        let mut seen: Vec<String> = things.iter().map(|thing| thing.label()).collect();
        if seen.is_empty() {
            seen.push("n".to_owned());
        }
        Self { seen, total: counted.then_some(things.len()), letter }
    }
}

impl Question {
    /// A question of this level, or none where the scene has nothing for the one that was drawn.
    pub(super) fn draw(scene: &Scene, level: u32, stream: &mut Stream) -> Option<Self> {
        match level {
            0 => Some(Self::all(scene)),
            1 => {
                let which = Which::draw(stream);
                let found = which.of(scene);
                // that nothing is there is worth a question now and then
                let wanted = !found.is_empty() || stream.below(6) == 0;
                let (text, answer) = (format!("#{}", which.letters()), found.len().to_string());
                let step = Step::of(which.letter(), &found, false);
                wanted.then(|| Self::of(text, vec![step], &found, answer))
            }
            2 if stream.below(3) == 0 => Self::left_of(scene, stream),
            2 => Self::of_two(scene, stream, ':'),
            3 if stream.below(2) == 0 => Self::of_two(scene, stream, '+'),
            3 => Self::of_two(scene, stream, '-'),
            _ => Self::digits(scene, stream),
        }
    }

    fn of(text: String, steps: Vec<Step>, found: &[&Thing], answer: String) -> Self {
        let mut about: Vec<Thing> = found.iter().map(|&&thing| thing).collect();
        about.sort_by_key(|thing| thing.cell);
        about.dedup();
        Self { text, steps, answer, about }
    }

    /// All that is there: the names are the result.
    fn all(scene: &Scene) -> Self {
        let found: Vec<&Thing> = scene.things.iter().collect();
        let names: Vec<String> = found.iter().map(|thing| thing.label()).collect();
        Self::of("d".to_owned(), Vec::new(), &found, names.join(","))
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
        let step = |which: Which, found: &[&Thing]| Step::of(which.letter(), found, operator != ':');
        let steps = vec![step(one, &found[0]), step(other, &found[1])];
        Some(Self::of(text, steps, &found.concat(), answer))
    }

    fn left_of(scene: &Scene, stream: &mut Stream) -> Option<Self> {
        let thing = &scene.things[stream.below(scene.things.len())];
        let same = |other: &&Thing| other.label() == thing.label();
        if scene.things.iter().filter(same).count() != 1 {
            return None;
        }
        let before = |other: &&Thing| other.row() == thing.row() && other.cell < thing.cell;
        let next = scene.things.iter().rfind(before);
        let answer = next.map_or_else(|| "n".to_owned(), Thing::label);
        let found: Vec<&Thing> = next.into_iter().chain([thing]).collect();
        let step = Step::of(Some(thing.colour.letter()), &found, false);
        Some(Self::of(format!("l{}", thing.label()), vec![step], &found, answer))
    }

    fn digits(scene: &Scene, stream: &mut Stream) -> Option<Self> {
        let colour = Colour::ALL[stream.below(4)];
        let digit = |thing: &Thing| match thing.kind {
            Kind::Digit(digit) => Some(usize::from(digit)),
            _ => None,
        };
        let of_colour = scene.things.iter().filter(|thing| thing.colour == colour);
        let found: Vec<&Thing> = of_colour.filter(|thing| digit(thing).is_some()).collect();
        let step = Step::of(Some(colour.letter()), &found, false);
        let sum: usize = found.iter().filter_map(|thing| digit(thing)).sum();
        let text = format!("+{}", colour.letter());
        (!found.is_empty()).then(|| Self::of(text, vec![step], &found, sum.to_string()))
    }

    /// The worked answer; `say` may replace what is said of a colour, or of none, on its way.
    pub(super) fn response(&self, mut say: impl FnMut(Option<char>, &str) -> String) -> String {
        let (mut steps, mut last) = (Vec::new(), None);
        for Step { seen, total, letter } in &self.steps {
            let said: Vec<String> = seen.iter().map(|seen| say(*letter, seen)).collect();
            let total = total.map(|total| format!(":{}", say(*letter, &total.to_string())));
            steps.push(said.join(",") + &total.unwrap_or_default());
            last = *letter;
        }
        format!("{}={}", steps.join(";"), say(last, &self.answer))
    }

    /// A label and four coordinates, of two digits each, of everything it is about: `ro01020708;bq…`; `n` for nothing.
    pub fn boxes(&self) -> String {
        let one = |thing: &Thing| {
            let edges: String = thing.bounds().iter().map(|edge| format!("{edge:02}")).collect();
            thing.label() + &edges
        };
        match self.about.as_slice() {
            [] => "n".to_owned(),
            about => about.iter().map(one).collect::<Vec<_>>().join(";"),
        }
    }

    /// The box around all that it is about, in whole cells; all of the image where it is about nothing.
    pub fn evidence(&self) -> [usize; 4] {
        let columns = || self.about.iter().map(|thing| thing.cell % CELLS);
        let rows = || self.about.iter().map(Thing::row);
        let around = || Some([columns().min()?, rows().min()?, columns().max()? + 1, rows().max()? + 1]);
        around().unwrap_or([0, 0, CELLS, CELLS]).map(|edge| edge * CELL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    fn scene() -> Scene {
        let thing = |colour, kind, cell| Thing { colour, kind, cell, shift: [1, 0] };
        let circle = thing(Colour::Red, Kind::Circle, 5);
        Scene {
            things: vec![circle, thing(Colour::Blue, Kind::Square, 6), thing(Colour::Red, Kind::Digit(7), 9)],
        }
    }

    /// Questions of a level about the scene, by their texts.
    fn asked(level: u32) -> std::collections::BTreeMap<String, Question> {
        let mut stream = Stream::new(1, Purpose::Scene, 0, 0);
        let drawn = (0..400).filter_map(|_| Question::draw(&scene(), level, &mut stream));
        drawn.map(|question| (question.text.clone(), question)).collect()
    }

    #[test]
    fn answers_name_what_is_seen_and_then_the_result() {
        let says = |level, text: &str| asked(level)[text].response(|_, said| said.to_owned());
        assert_eq!(says(0, "d"), "=ro,bq,r7");
        assert_eq!(says(1, "#r"), "ro,r7=2");
        assert_eq!(says(1, "#g"), "n=0");
        assert_eq!(says(2, "#r:b"), "ro,r7;bq=m");
        assert_eq!(says(2, "lbq"), "ro,bq=ro");
        assert_eq!(says(2, "lro"), "ro=n");
        assert_eq!(says(3, "#r+#b"), "ro,r7:2;bq:1=3");
        assert_eq!(says(3, "#r-#g"), "ro,r7:2;n:0=2");
        assert_eq!(says(4, "+r"), "r7=7");
    }

    #[test]
    fn evidence_lies_around_what_a_question_is_about() {
        let questions = asked(1);
        assert_eq!(questions["#r"].evidence(), [8, 8, 16, 24]);
        assert_eq!(questions["#r"].boxes(), "ro09081514;r709161221");
        assert_eq!((questions["#g"].evidence(), questions["#g"].boxes()), ([0, 0, 32, 32], "n".to_owned()));
    }
}
