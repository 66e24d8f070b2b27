//! Which fields are there: required stages, and nothing strange or double.

use crate::messages;
use crate::model::Recipe;
use crate::report::Report;
use crate::stage::{Absent, StageName};

/// A field is a teacher or a stage.
pub fn no_strangers(recipe: &Recipe, report: &mut Report) {
    for stranger in &recipe.strangers {
        report.at(&stranger.name, stranger.meant.says(&stranger.name));
    }
}

/// Without these there is no loop. A misspelt one counts: its own sentence says enough.
pub fn every_required_stage(recipe: &Recipe, report: &mut Report) {
    for stage in StageName::ALL {
        let meant = recipe.strangers.iter().any(|stranger| stranger.meant.stage() == Some(stage));
        let teacher = recipe.teachers.iter().any(|teacher| teacher.name == stage.as_str());
        if stage.absent() == Absent::Refused && recipe.stage(stage).is_none() && !meant && !teacher {
            report.at(recipe.name(), messages::missing_stage(recipe.name(), stage));
        }
    }
}

/// A stage has one method.
pub fn no_stage_twice(recipe: &Recipe, report: &mut Report) {
    for (place, stage) in recipe.stages.iter().enumerate() {
        if let Some(first) = recipe.stages[..place].iter().find(|other| other.stage == stage.stage) {
            report.at(
                &stage.name,
                match stage.stage {
                    StageName::Calibrate if first.method.spelled() != stage.method.spelled() => {
                        messages::calibrate_twice(&first.method, &stage.method)
                    }
                    name => messages::stage_twice(name, &first.method, &stage.method),
                },
            );
        }
    }
}

/// A teacher's name is its own.
pub fn no_teacher_twice(recipe: &Recipe, report: &mut Report) {
    for (place, teacher) in recipe.teachers.iter().enumerate() {
        if recipe.teachers[..place].iter().any(|other| other.name == teacher.name) {
            report.at(&teacher.name, messages::teacher_twice(&teacher.name));
        }
    }
}
