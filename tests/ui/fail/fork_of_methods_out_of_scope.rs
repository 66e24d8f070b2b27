// The base names a method that is not in scope where the fork stands.
mod base {
    use limbeck::prelude::*;
    use limbeck::prelude::AdamW as Slowly;

    #[recipe]
    pub struct MyOpd {
        #[teacher]
        teacher: Frozen,

        data: Prompts,
        rollout: Sample,
        verify: TaskAnswer,
        score: SampledToken,
        loss: PolicyGradient,
        #[with(lr = 1e-7)]
        step: Slowly,
    }
}

use limbeck::prelude::*;

#[recipe(base = base::MyOpd, without(verify))]
pub struct Unverified;

fn main() {}
