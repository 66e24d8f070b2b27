//! Snapshots of recipes, in one line of a user's own test.

/// Snapshots a recipe's loop with insta; the recipe's source stands beside it.
///
/// ```ignore
/// #[test]
/// fn my_loop() {
///     limbeck::assert_loop_snapshot!(MyRecipe);
/// }
/// ```
#[macro_export]
macro_rules! assert_loop_snapshot {
    ($recipe:ty) => {
        $crate::insta::with_settings!(
            { description => <$recipe as $crate::Recipe>::SOURCE, omit_expression => true },
            { $crate::insta::assert_snapshot!(
                ::std::format!("{}_loop", <$recipe as $crate::Recipe>::NAME),
                <$recipe as $crate::Recipe>::LOOP
            ) }
        )
    };
}

/// Snapshots a recipe's plan, defaults included, with insta.
///
/// ```ignore
/// #[test]
/// fn my_plan() {
///     limbeck::assert_plan_snapshot!(MyRecipe);
/// }
/// ```
#[macro_export]
macro_rules! assert_plan_snapshot {
    ($recipe:ty) => {
        $crate::insta::with_settings!(
            { omit_expression => true },
            { $crate::insta::assert_snapshot!(
                ::std::format!("{}_plan", <$recipe as $crate::Recipe>::NAME),
                <$recipe as $crate::Recipe>::PLAN.to_ron()
            ) }
        )
    };
}

/// Snapshots how one recipe differs from another, with insta: for a fork and its base, say.
///
/// ```standalone_crate
/// use limbeck::prelude::*;
///
/// #[recipe]
/// struct Outcomes {
///     data: Prompts,
///     #[with(group_size = 4)]
///     rollout: Sample,
///     verify: TaskAnswer,
///     score: GroupOutcome,
///     loss: PolicyGradient,
///     step: AdamW,
/// }
///
/// #[recipe]
/// struct Slower {
///     data: Prompts,
///     #[with(group_size = 4)]
///     rollout: Sample,
///     verify: TaskAnswer,
///     score: GroupOutcome,
///     loss: PolicyGradient,
///     #[with(lr = 1e-7)]
///     step: AdamW,
/// }
///
/// # // a snapshot that is there holds, and another text does not
/// # unsafe { std::env::set_var("INSTA_UPDATE", "no") };
/// # let folder = std::env::temp_dir().join(format!("limbeck-snapshot-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let keep = |text: &str| {
/// #     let file = folder.join("doctest_snapshot_rs__Slower_against_Outcomes.snap");
/// #     std::fs::write(file, format!("---\nsource: x\n---\n{text}")).unwrap();
/// # };
/// # let mut settings = limbeck::insta::Settings::new();
/// # settings.set_snapshot_path(&folder);
/// # keep(&limbeck::diff(&Outcomes::PLAN, &Slower::PLAN).to_string());
/// # settings.bind(|| {
/// limbeck::assert_diff_snapshot!(Outcomes, Slower);
/// # });
/// # keep("something else");
/// # settings.bind(|| std::panic::catch_unwind(|| limbeck::assert_diff_snapshot!(Outcomes, Slower)).unwrap_err());
/// # std::fs::remove_dir_all(&folder).unwrap();
/// ```
#[macro_export]
macro_rules! assert_diff_snapshot {
    ($base:ty, $fork:ty) => {
        $crate::insta::with_settings!(
            { omit_expression => true },
            { $crate::insta::assert_snapshot!(
                ::std::format!(
                    "{}_against_{}",
                    <$fork as $crate::Recipe>::NAME,
                    <$base as $crate::Recipe>::NAME
                ),
                $crate::diff(&<$base as $crate::Recipe>::PLAN, &<$fork as $crate::Recipe>::PLAN)
            ) }
        )
    };
}
