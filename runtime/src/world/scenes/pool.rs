//! Rows of scenes.

use std::sync::Arc;

use super::paint::paint;
use super::{Help, Question, Scene, SceneSpec, DOMAIN};
use crate::error::Result;
use crate::rng::{Purpose, Stream};
use crate::world::rows::{Images, Row, MARK};
use crate::world::tasks::{held_out, Split};

/// What a stream of random numbers is for; one setting leaves everything else of a row as it was.
#[derive(Clone, Copy)]
enum Use {
    Scene = 1,
    Paint = 2,
    Slips = 3,
    Help = 4,
}

/// How often another scene is looked for, which is far more than it takes.
const ATTEMPTS: u32 = 10_000;

/// The rows of `spec`, `per_level` for each level, in turn. A row depends on seed, split, level and place alone.
///
/// # Errors
/// A setting out of range, by name.
pub fn generate(spec: &SceneSpec) -> Result<Vec<Row>> {
    spec.check()?;
    let (low, high) = spec.levels;
    let places = (0..spec.per_level as u64).flat_map(|slot| (low..=high).map(move |level| (slot, level)));
    Ok(places.filter_map(|(slot, level)| row(spec, level, slot)).collect())
}

fn stream(spec: &SceneSpec, used: Use, place: u64, attempt: u32) -> Stream {
    Stream::new(spec.seed, Purpose::Scene, place, (used as u64) << 32 | u64::from(attempt))
}

fn row(spec: &SceneSpec, level: u32, slot: u64) -> Option<Row> {
    let place = u64::from(level) << 40 | slot;
    let (scene, question) = (0..ATTEMPTS).find_map(|attempt| {
        let mut stream = stream(spec, Use::Scene, place, attempt);
        let scene = Scene::draw(&mut stream, spec.things);
        let belongs = held_out(&scene.body()) == (spec.split == Split::HeldOut);
        let question = belongs.then(|| Question::draw(&scene, level, &mut stream)).flatten()?;
        Some((scene, question))
    })?;
    let picture = paint(&scene, &mut stream(spec, Use::Paint, place, 0));
    let (boxes, evidence, caption) = (question.boxes(), question.evidence(), scene.caption());
    let help = spec.help(stream(spec, Use::Help, place, 0).uniform());
    let in_line = match help {
        Some(Help::Boxes) => format!("?{boxes}"),
        Some(Help::Caption) => format!("?{caption}"),
        Some(Help::BoxesAndCaption) => format!("?{boxes};{caption}"),
        Some(Help::ReferenceAnswer) => format!("?{}", question.answer),
        Some(Help::Evidence) | None => String::new(),
    };
    let cut =
        (help == Some(Help::Evidence)).then(|| picture.crop(evidence.map(|edge| edge as u32))).flatten();
    let mut row = Row::new(format!("^v{MARK}{}{in_line}>", question.text).as_str());
    row.images = Images::of(vec![cut.map_or(picture, Arc::new)]);
    row.answer = Some(question.answer.clone());
    row.domain = DOMAIN.to_owned();
    row.level = Some(level);
    let spared = spec.spare_helped && help.is_some();
    let mut slips = stream(spec, Use::Slips, place, 0);
    let say = |letter, said: &str| slipped(spec, letter, said, &mut slips, spared);
    row.reference = spec.worked.then(|| question.response(say));
    let columns = [("boxes", boxes), ("evidence", format!("{evidence:?}")), ("caption", caption)];
    row.columns.extend(columns.map(|(name, text)| (name.to_owned(), text)));
    Some(row)
}

/// What is said, or something else of its kind. All numbers are always drawn: another probability elsewhere moves no
/// slip here.
fn slipped(spec: &SceneSpec, letter: Option<char>, said: &str, stream: &mut Stream, spared: bool) -> String {
    let (chance, one, other) = (stream.uniform(), stream.below(4), stream.below(10));
    if spared || chance >= letter.map_or(spec.slips, |letter| spec.slip_of(letter)) {
        return said.to_owned();
    }
    match said.parse::<usize>() {
        Ok(number) if number > 3 => other.to_string(),
        Ok(_) => one.to_string(),
        // all names of a scene
        Err(_) if said.len() > 2 => said.to_owned(),
        Err(_) if said.len() == 2 => format!("{}{}", &said[..1], ["o", "q", "a", "x"][one]),
        Err(_) => ["m", "l", "s", "n"][one].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::scenes::SceneVerifier;
    use crate::world::tokenizer::Tokenizer;
    use crate::world::verifier::Verifier;

    fn spec() -> SceneSpec {
        SceneSpec { per_level: 40, seed: 5, ..SceneSpec::default() }
    }

    #[test]
    fn every_reference_is_right_and_can_be_said() {
        let tokenizer = Tokenizer::scenes().unwrap();
        let helped =
            [Help::Boxes, Help::Caption, Help::BoxesAndCaption, Help::ReferenceAnswer, Help::Evidence];
        let helped = helped.map(|help| (help, 0.15)).into();
        let rows = generate(&SceneSpec { levels: (0, 4), helped, ..spec() }).unwrap();
        assert_eq!(rows.len(), 200);
        for row in &rows {
            let reference = row.reference.as_deref().unwrap();
            assert_eq!(SceneVerifier.judge(row, reference, true), Ok(Some(true)), "{reference}");
            let prompt = row.prompt.plain().unwrap();
            for text in [prompt, reference, &row.columns["boxes"], &row.columns["caption"]] {
                assert_eq!(tokenizer.decode(&tokenizer.encode(text).unwrap()), *text);
            }
            assert_eq!(row.images.len(), 1);
        }
        assert!(rows.iter().filter(|row| row.prompt.plain().unwrap().contains('?')).count() > 80);
        let bare = generate(&SceneSpec { worked: false, ..spec() }).unwrap();
        assert!(bare.iter().all(|row| row.reference.is_none() && row.answer.is_some()));
    }

    #[test]
    fn the_same_seed_gives_the_same_rows_and_no_scene_is_in_both_splits() {
        assert_eq!(generate(&spec()).unwrap(), generate(&spec()).unwrap());
        let slips = generate(&SceneSpec { slips: 0.5, ..spec() }).unwrap();
        let plain = generate(&spec()).unwrap();
        assert!(slips.iter().zip(&plain).all(|(a, b)| a.images == b.images && a.answer == b.answer));
        assert!(slips.iter().zip(&plain).any(|(a, b)| a.reference != b.reference));
        let held_out = generate(&SceneSpec { split: Split::HeldOut, ..spec() }).unwrap();
        for row in &held_out {
            assert!(plain.iter().all(|other| other.images != row.images));
        }
    }

    #[test]
    fn slips_keep_away_from_rows_that_are_spared() {
        let helped = [(Help::Boxes, 1.0)].into();
        let spec = SceneSpec { helped, slips: 1.0, spare_helped: true, ..spec() };
        for row in &generate(&spec).unwrap() {
            let reference = row.reference.as_deref().unwrap();
            assert_eq!(SceneVerifier.judge(row, reference, true), Ok(Some(true)));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_field() {
        let refused = |spec: SceneSpec| generate(&spec).unwrap_err().to_string();
        assert!(refused(SceneSpec { levels: (3, 2), ..spec() }).contains("`levels`"));
        assert!(refused(SceneSpec { things: (0, 4), ..spec() }).contains("`things`"));
        assert!(refused(SceneSpec { per_level: 0, ..spec() }).contains("`per_level`"));
        let helped = [(Help::Boxes, 1.5)].into();
        assert!(refused(SceneSpec { helped, ..spec() }).contains("helped[Boxes]"));
        let helped = [(Help::Boxes, 0.7), (Help::Evidence, 0.7)].into();
        assert!(refused(SceneSpec { helped, ..spec() }).contains("all of it together"));
        let slips_on = [("z".to_owned(), 0.5)].into();
        assert!(refused(SceneSpec { slips_on, ..spec() }).contains("no colour"));
    }
}
