//! A recipe reads in the order its loop runs.

use crate::messages;
use crate::model::{Recipe, Stage};
use crate::report::Report;
use crate::stage::StageName;

/// Who teaches comes before what is done.
pub fn teachers_first(recipe: &Recipe, report: &mut Report) {
    let Some(first) = recipe.stages.iter().min_by_key(|stage| stage.place) else {
        return;
    };
    for teacher in recipe.teachers.iter().filter(|teacher| teacher.place > first.place) {
        report.at(&teacher.name, messages::teacher_after_a_stage(&teacher.name, first.stage));
    }
}

/// Stages stand as they run; only the fields that must move are named.
pub fn stages_in_loop_order(recipe: &Recipe, report: &mut Report) {
    let mut stages: Vec<&Stage> = Vec::new();
    for stage in &recipe.stages {
        if !stages.iter().any(|known| known.stage == stage.stage) {
            stages.push(stage);
        }
    }
    let settled = longest_in_order(&stages.iter().map(|stage| stage.stage).collect::<Vec<_>>());
    for (place, stage) in stages.iter().enumerate() {
        if settled.contains(&stage.stage) {
            continue;
        }
        let later = stages[..place].iter().map(|other| other.stage);
        let earlier = stages[place..].iter().map(|other| other.stage);
        let before = later.filter(|other| settled.contains(other) && *other > stage.stage).min();
        let after = earlier.filter(|other| settled.contains(other) && *other < stage.stage).max();
        report.at(
            &stage.name,
            match (before, after) {
                (Some(before), _) => messages::stage_too_late(stage.stage, before),
                (None, Some(after)) => messages::stage_too_early(stage.stage, after),
                (None, None) => continue,
            },
        );
    }
}

/// The longest run of stages that already stand in order (the later one on a tie, so that the
/// field that jumped ahead is the one to move).
fn longest_in_order(stages: &[StageName]) -> Vec<StageName> {
    let mut best: Vec<Vec<StageName>> = Vec::new();
    for (place, stage) in stages.iter().enumerate() {
        let mut run = (0..place)
            .filter(|&before| stages[before] < *stage)
            .map(|before| best[before].clone())
            .max_by_key(Vec::len)
            .unwrap_or_default();
        run.push(*stage);
        best.push(run);
    }
    best.into_iter().max_by_key(Vec::len).unwrap_or_default()
}
