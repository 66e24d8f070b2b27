//! A user's names are the user's: hooks called `facts` and `check`, a method called as the loop's own
//! words are, teachers called as the macro's own variables are.

use limbeck::prelude::*;
use limbeck::{Facts, Fault};

mod hooks {
    use limbeck::batch::Rollouts;
    use limbeck::capability::Unjudged;
    use limbeck::stages::verify::Verify;
    use limbeck::{Facts, Fault, Settings};

    /// Every answer is right.
    #[derive(Clone, Debug, Settings)]
    #[settings(check = check, facts = facts)]
    pub struct Run {
        /// A setting with the name of the macro's own variable.
        #[setting(default = 1)]
        pub map: usize,
        /// Another one.
        #[setting(default = 2)]
        pub given: usize,
    }

    const fn facts(method: &Run, facts: Facts) -> Facts {
        Facts { group_size: facts.group_size * method.map, ..facts }
    }

    const fn check(method: &Run, facts: &Facts) -> Option<Fault> {
        if method.given == 0 || facts.group_size == 0 {
            return Some(Fault { stage: "", field: "given", says: "at least 1" });
        }
        None
    }

    impl Verify for Run {
        fn outcomes(&self, rollouts: &Rollouts<Unjudged>) -> limbeck::Result<(Vec<Option<bool>>, usize)> {
            Ok((vec![Some(true); rollouts.responses_N.len()], 0))
        }
    }
}

#[recipe]
struct Named {
    #[teacher(domain = Domain::Math)]
    map: Frozen,
    #[teacher(domain = Domain::Code)]
    recipe: Frozen,
    #[teacher]
    given: Start,

    data: Prompts,
    #[with(group_size = 2)]
    rollout: Sample,
    #[with(map = 3)]
    verify: hooks::Run,
    score: Extrapolated,
    calibrate: MarginShift,
    loss: PolicyGradient,
    step: AdamW,
}

#[test]
fn hooks_may_be_called_facts_and_check() {
    assert_eq!(Named::FACTS, Facts { group_size: 6, ..Facts::NONE });
    let mut named = Named::DEFAULT;
    assert_eq!(named.faults(), []);
    named.verify.given = 0;
    assert_eq!(named.faults(), [Fault { stage: "verify", field: "given", says: "at least 1" }]);
}

#[test]
fn a_recipe_is_copied_and_printed_whole() {
    let mut named = Named::DEFAULT;
    named.rollout.temperature = 0.5;
    let copy = named.clone();
    assert_eq!(copy.rollout.temperature, 0.5);
    let printed = format!("{copy:?}");
    assert!(
        printed.starts_with("Named { map: Frozen, recipe: Frozen, given: Start, data: Prompts"),
        "{printed}"
    );
    assert!(printed.contains("verify: Run { map: 3, given: 2 }"), "{printed}");
}

#[test]
fn a_patch_reaches_fields_of_any_name() {
    let mut named = Named::DEFAULT;
    named.set("(verify: (map: 5, given: 7), rollout: (group_size: 4))").unwrap();
    assert_eq!((named.verify.map, named.verify.given, named.rollout.group_size), (5, 7, 4));
    assert!(named.set("(verify: (mop: 5))").is_err());
}
