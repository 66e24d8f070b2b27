//! Forks wherever a recipe can stand: in a module and in a function, private and public, of a fork, of a
//! recipe that comes later, of another crate's, with teachers and methods of one's own.

use limbeck::prelude::*;
use limbeck_recipes::UniOpd;

#[recipe(base = UniOpd, without(calibrate))]
pub struct NoCalibration;

#[recipe(base = limbeck_recipes::UniOpd)]
struct Gentle {
    #[with(delta = 0.3)]
    calibrate: _,
}

#[recipe(base = Gentle)]
struct Gentler {
    #[with(lr = 1e-7)]
    step: _,
}

#[recipe(base = Later)]
struct Early {
    verify: elsewhere::AlwaysRight,
}

#[recipe]
struct Later {
    #[teacher]
    teacher: Frozen,
    data: Prompts,
    rollout: Sample,
    verify: TaskAnswer,
    score: SampledToken,
    loss: PolicyGradient,
    step: AdamW,
}

mod elsewhere {
    use limbeck::batch::Rollouts;
    use limbeck::capability::Unjudged;
    use limbeck::prelude::*;
    use limbeck::stages::verify::Verify;

    #[recipe(base = super::Gentler, without(balance))]
    pub struct Unbalanced {}

    #[recipe(base = self::Unbalanced)]
    pub(super) struct Hinted {
        #[teacher(reads = StepHints)]
        math: _,
        #[teacher(reads = StepHints)]
        code: _,
    }

    /// Every answer is right.
    #[derive(Clone, Debug, Settings)]
    pub struct AlwaysRight {
        /// How sure it is.
        #[setting(default = 1.0)]
        pub sure: f64,
    }

    impl Verify for AlwaysRight {
        fn outcomes(&self, rollouts: &Rollouts<Unjudged>) -> limbeck::Result<(Vec<Option<bool>>, usize)> {
            Ok((vec![Some(true); rollouts.responses_N.len()], 0))
        }
    }
}

#[recipe(base = limbeck_recipes::ExOpd, without(reference))]
#[derive(Clone)]
struct WithoutReference {
    score: SampledToken,
}

#[test]
fn each_fork_has_its_base_and_its_change() {
    #[recipe(base = crate::forks::elsewhere::Hinted)]
    struct Local {
        #[with(sure = 0.5)]
        verify: elsewhere::AlwaysRight,
    }

    #[recipe(base = Local)]
    struct Sure {
        #[with(sure = 0.9)]
        verify: _,
    }

    let bases = [NoCalibration::PLAN, Gentle::PLAN, Gentler::PLAN, Early::PLAN, Local::PLAN, Sure::PLAN];
    let bases = bases.map(|plan| plan.base.unwrap_or_default());
    assert_eq!(bases, ["UniOpd", "UniOpd", "Gentle", "Later", "Hinted", "Local"]);
    let Sure { math: _, calibrate, verify, step, .. } = Sure::DEFAULT;
    assert_eq!((calibrate.delta, verify.sure, step.lr), (0.3, 0.9, 1e-7));
    assert!(Sure::PLAN.teachers.iter().all(|teacher| teacher.reads == Some("StepHints")));
    assert_eq!(Sure::PLAN.method("balance"), None);
    assert_eq!(WithoutReference::PLAN.teachers.len(), 2);
}
