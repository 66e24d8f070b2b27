//! The const clock: what a recipe's checks found, reported on the word that caused it.
//!
//! The macro emits one call for each value the user wrote, one for each method, and one for the whole
//! recipe. Each is spanned on its word and panics, at compile time, with the first fault that is its
//! own; `track_caller` makes rustc point there and not here.

/// A number that cannot be right, or cannot be right beside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field of the recipe it concerns; empty where a method speaks of its own settings.
    pub stage: &'static str,
    /// The setting; empty where the fault is of the method as a whole.
    pub field: &'static str,
    /// What is wrong and what to do, in one sentence.
    pub says: &'static str,
}

/// What the stages of one recipe let each other know, so that a check can reach across stages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// Rollouts per prompt; 0 when the rollout stage does not say.
    pub group_size: usize,
    /// Whether all rollouts are the student's own words (and not a reference answer).
    pub on_policy: bool,
    /// Whether some are and some are not.
    pub mixed: bool,
    /// The narrowest vocabulary the loss can be computed on; 1 is any.
    pub vocabulary: usize,
    /// Whether the score holds the teacher's whole rows of a batch.
    pub whole_rows: bool,
    /// How many tokens the score leaves of the rows that are not compared whole; 0 leaves whole rows.
    pub kept: usize,
    /// Whether a route gives every token one policy to learn from, and can cut its row.
    pub cuts_rows: bool,
    /// Whether the loss can learn from rows that were cut.
    pub learns_cut_rows: bool,
    /// Whether the responses, or some, are the reference answers of the data rows.
    pub reads_references: bool,
    /// Whether a teacher is behind a server, which scores and does not speak.
    pub served: bool,
    /// How many of its likeliest tokens a server gives at each position.
    pub given: usize,
    /// How many of the teacher's likeliest tokens the loss is content with; 0 wants more than those.
    pub content_with: usize,
    /// Whether every prompt shows an image, so that the student must have eyes.
    pub shows: bool,
}

impl Facts {
    /// Before any stage has spoken.
    pub const NONE: Self = Self {
        group_size: 0,
        on_policy: true,
        mixed: false,
        vocabulary: 1,
        whole_rows: false,
        kept: 0,
        cuts_rows: false,
        learns_cut_rows: false,
        reads_references: false,
        served: false,
        given: 0,
        content_with: 0,
        shows: false,
    };
}

/// Fills in the recipe's own field name where a method spoke of itself.
#[must_use]
pub const fn at(part: &'static str, fault: Option<Fault>) -> Option<Fault> {
    match fault {
        Some(fault) if fault.stage.is_empty() => Some(Fault { stage: part, ..fault }),
        other => other,
    }
}

/// Refuses the value written for `field` of `part`, with the first fault that names it.
///
/// # Panics
/// At compile time, with the fault's own sentence.
#[track_caller]
pub const fn literal(faults: &[Option<Fault>], part: &str, field: &str) {
    let mut place = 0;
    while place < faults.len() {
        if let Some(fault) = faults[place]
            && same(fault.stage, part)
            && same(fault.field, field)
        {
            panic!("{}", fault.says);
        }
        place += 1;
    }
}

/// Refuses the method of `part`, with its first fault in a setting the recipe did not write.
///
/// # Panics
/// At compile time, with the fault's own sentence.
#[track_caller]
pub const fn method(faults: &[Option<Fault>], part: &str, written: &[&str]) {
    let mut place = 0;
    while place < faults.len() {
        if let Some(fault) = faults[place]
            && same(fault.stage, part)
            && !contains(written, fault.field)
        {
            panic!("{}", fault.says);
        }
        place += 1;
    }
}

/// Refuses the recipe, with the first fault of a field it does not have.
///
/// # Panics
/// At compile time, with the fault's own sentence.
#[track_caller]
pub const fn rest(faults: &[Option<Fault>], parts: &[&str]) {
    let mut place = 0;
    while place < faults.len() {
        if let Some(fault) = faults[place]
            && !contains(parts, fault.stage)
        {
            panic!("{}", fault.says);
        }
        place += 1;
    }
}

const fn contains(words: &[&str], word: &str) -> bool {
    let mut place = 0;
    while place < words.len() {
        if same(words[place], word) {
            return true;
        }
        place += 1;
    }
    false
}

/// `==` on strings, which a const fn cannot say yet.
const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut place = 0;
    while place < one.len() {
        if one[place] != other[place] {
            return false;
        }
        place += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{at, literal, method, rest, Fault};

    const NARROW: Option<Fault> = Some(Fault { stage: "rollout", field: "group_size", says: "at least 2" });

    #[test]
    fn a_fault_of_ones_own_gets_the_fields_name() {
        let own = Some(Fault { stage: "", field: "rate", says: "below 1" });
        assert_eq!(at("shadow", own).map(|fault| fault.stage), Some("shadow"));
        assert_eq!(at("calibrate", NARROW), NARROW);
    }

    #[test]
    fn only_the_word_that_caused_it_is_refused() {
        let faults = [None, NARROW];
        literal(&faults, "rollout", "temperature");
        literal(&faults, "data", "group_size");
        method(&faults, "rollout", &["group_size"]);
        rest(&faults, &["data", "rollout"]);
    }

    #[test]
    #[should_panic(expected = "at least 2")]
    fn a_written_value_is_refused_itself() {
        literal(&[NARROW], "rollout", "group_size");
    }

    #[test]
    #[should_panic(expected = "at least 2")]
    fn an_unwritten_value_is_refused_on_its_method() {
        method(&[NARROW], "rollout", &["temperature"]);
    }

    #[test]
    #[should_panic(expected = "at least 2")]
    fn a_fault_of_an_absent_field_is_refused_on_the_recipe() {
        rest(&[NARROW], &["data"]);
    }
}
