//! What is swept: recipes × settings × seeds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::words::{read_seeds, split, twice, MOST};
use crate::error::{Error, Result};
use crate::plan::fingerprint;
use crate::run::write_whole;

/// The longest part of a folder's name that tells of settings.
const LONGEST: usize = 80;

/// A sweep as `sweep.ron` holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// The run file, and the fingerprint of its text.
    pub run: PathBuf,
    /// What the run file said.
    pub fingerprint: String,
    /// The recipes; the first is what the others are compared with.
    pub recipes: Vec<String>,
    /// The settings with their values, as `stage.field=v1,v2`.
    pub set: Vec<String>,
    /// The seeds.
    pub seeds: Vec<u64>,
}

/// A recipe under one choice of settings: a row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The recipe.
    pub recipe: String,
    /// The settings, as `stage.field=VALUE`.
    pub set: Vec<String>,
    /// What people call it: the recipe, and the settings that differ between cases.
    pub label: String,
}

/// One run of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, which is also that of its folder. It depends on nothing but recipe, settings and seed.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// The recipe.
    pub recipe: String,
    /// The settings, as `stage.field=VALUE`.
    pub set: Vec<String>,
    /// The seed.
    pub seed: u64,
}

impl Sweep {
    /// What was asked for: `seeds` is how many (`5` is 1 to 5) or which (`1,4,7`).
    ///
    /// # Errors
    /// A recipe, setting or seed given twice, a `set` without values, more runs than could be meant.
    pub fn new(run: &Path, text: &str, recipes: Vec<String>, set: Vec<String>, seeds: &str) -> Result<Self> {
        if let Some(again) = twice(&recipes) {
            return Err(Error::call(format!("`{again}` is named twice"))
                .at("--recipe")
                .next("name each recipe once"));
        }
        let seeds = read_seeds(seeds).map_err(|why| why.at("--seeds"))?;
        let run = std::path::absolute(run).map_err(|why| Error::reading(run, why))?;
        let sweep = Self { run, fingerprint: fingerprint(text.as_bytes()), recipes, set, seeds };
        let axes = sweep.axes()?;
        let keys: Vec<String> = axes.iter().map(|(key, _)| key.clone()).collect();
        if let Some(seed) = keys.iter().find(|key| *key == "seed") {
            return Err(Error::call("the seeds of a sweep are no setting")
                .at(format!("--set {seed}"))
                .next("give them as --seeds 5 or --seeds 1,4,7"));
        }
        if let Some(again) = twice(&keys) {
            return Err(Error::call(format!("`{again}` is set twice"))
                .at("--set")
                .next(format!("give all its values at once, as --set {again}=V1,V2")));
        }
        let sizes =
            axes.iter().map(|(_, values)| values.len()).chain([sweep.recipes.len(), sweep.seeds.len()]);
        let runs = sizes.fold(1, usize::saturating_mul);
        if runs > MOST {
            return Err(Error::call(format!("these are {runs} runs, more than {MOST}"))
                .next("name fewer recipes, values or seeds"));
        }
        Ok(sweep)
    }

    /// Every recipe under every choice of settings.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn cases(&self) -> Result<Vec<Case>> {
        let mut choices: Vec<(Vec<String>, Vec<String>)> = vec![Default::default()];
        for (key, values) in self.axes()? {
            let told = values.len() > 1;
            let longer = |(set, words): &(Vec<String>, Vec<String>), value: &String| {
                let word = format!("{key}={value}");
                let words = words.iter().chain(told.then_some(&word)).cloned().collect();
                (set.iter().chain([&word]).cloned().collect(), words)
            };
            choices = choices
                .iter()
                .flat_map(|so_far| values.iter().map(|value| longer(so_far, value)).collect::<Vec<_>>())
                .collect();
        }
        let case = |recipe: &String, (set, words): &(Vec<String>, Vec<String>)| Case {
            recipe: recipe.clone(),
            set: set.clone(),
            label: [std::slice::from_ref(recipe), words].concat().join(" "),
        };
        Ok(self
            .recipes
            .iter()
            .flat_map(|recipe| choices.iter().map(move |choice| case(recipe, choice)))
            .collect())
    }

    /// Every run, seed by seed, so that what is there of a sweep cut short can be compared.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn members(&self) -> Result<Vec<Member>> {
        let cases = self.cases()?;
        let member = |case: &Case, seed: u64| Member {
            name: format!("{}-seed{seed}", case.folder()),
            label: format!("{}, seed {seed}", case.label),
            recipe: case.recipe.clone(),
            set: case.set.clone(),
            seed,
        };
        Ok(self.seeds.iter().flat_map(|&seed| cases.iter().map(move |case| member(case, seed))).collect())
    }

    /// Each setting with its values.
    fn axes(&self) -> Result<Vec<(String, Vec<String>)>> {
        self.set
            .iter()
            .map(|word| {
                let place = format!("--set {word}");
                let (key, values) = word.split_once('=').ok_or_else(|| {
                    Error::call("has no `=`")
                        .at(&place)
                        .next("write --set stage.field=V1,V2, for example --set calibrate.delta=0.2,0.4")
                })?;
                let values: Vec<String> =
                    split(values).iter().map(|value| value.trim().to_string()).collect();
                if values.iter().any(String::is_empty) {
                    return Err(Error::call("a value is missing")
                        .at(place)
                        .next("write --set stage.field=V1,V2"));
                }
                if let Some(again) = twice(&values) {
                    return Err(Error::call(format!("the value {again} is given twice"))
                        .at(place)
                        .next("give each value once"));
                }
                Ok((key.trim().to_string(), values))
            })
            .collect()
    }

    /// Writes `sweep.ron`.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let pretty = ron::ser::PrettyConfig::new().struct_names(true).indentor("    ");
        let text = ron::ser::to_string_pretty(self, pretty).map_err(|why| {
            Error::call(format!("the sweep cannot be written down: {why}")).next("a path is UTF-8 text")
        })?;
        write_whole(&folder.join("sweep.ron"), format!("{text}\n").as_bytes())
    }

    /// A folder is free, or it holds a sweep that this one has all of: the same run file, and at least its runs.
    ///
    /// # Errors
    /// A folder with something else in it.
    pub fn must_go_on(&self, folder: &Path) -> Result<()> {
        let path = folder.join("sweep.ron");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(Error::reading(&path, why)),
            Err(_) if std::fs::read_dir(folder).is_ok_and(|mut inside| inside.next().is_some()) => {
                return Err(Error::call("the folder holds something, and no sweep")
                    .at(folder.display())
                    .next("choose another --out"))
            }
            Err(_) => return Ok(()),
        };
        let then: Self = ron::from_str(&text).map_err(|why| {
            Error::call(format!("is damaged: {why}"))
                .at(path.display())
                .next("start the sweep in another folder with --out")
        })?;
        let here = |what: String, next: &str| {
            Err(Error::call(what)
                .at(folder.display())
                .next(format!("{next}, or choose another folder with --out")))
        };
        if then.fingerprint != self.fingerprint {
            let what = format!(
                "the folder holds a sweep of another run file ({}, fingerprint {}; now {})",
                then.run.display(),
                then.fingerprint,
                self.fingerprint
            );
            return here(what, "put the run file back as it was");
        }
        let now: std::collections::BTreeSet<String> =
            self.members()?.into_iter().map(|member| member.name).collect();
        let lost: Vec<String> = then
            .members()?
            .into_iter()
            .filter(|member| !now.contains(&member.name))
            .map(|member| member.label)
            .collect();
        match lost.first() {
            None => Ok(()),
            Some(first) => {
                let what = format!("the folder holds another sweep: {} of its runs are not asked for now, the first is {first}", lost.len());
                here(what, "ask for all that sweep.ron names, and for more if you like")
            }
        }
    }
}

impl Case {
    /// Recipe and settings as a folder's name.
    fn folder(&self) -> String {
        if self.set.is_empty() {
            return self.recipe.clone();
        }
        let words = self.set.join("-");
        let plain: String = words
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "._=+-".contains(c) { c } else { '_' })
            .take(LONGEST)
            .collect();
        if plain == words {
            format!("{}-{plain}", self.recipe)
        } else {
            format!("{}-{plain}-{}", self.recipe, &fingerprint(words.as_bytes())[..8])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(recipes: &[&str], set: &[&str], seeds: &str) -> Result<Sweep> {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_string()).collect();
        Sweep::new(Path::new("run.ron"), "Run()", own(recipes), own(set), seeds)
    }

    #[test]
    fn members_are_the_product_seed_by_seed() {
        let sweep = sweep(&["A", "B"], &["x.y=1,2", "x.z=0.5"], "2").unwrap();
        let members = sweep.members().unwrap();
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names.len(), 8);
        assert_eq!(names[..2], ["A-x.y=1-x.z=0.5-seed1", "A-x.y=2-x.z=0.5-seed1"]);
        assert_eq!(members[7].label, "B x.y=2, seed 2");
        assert_eq!(members[7].set, ["x.y=2", "x.z=0.5"]);
    }

    #[test]
    fn names_of_folders_are_plain_and_never_the_same() {
        let sweep = sweep(&["A"], &["x.y=(1),[1],\"1\",1/2"], "1").unwrap();
        let names: std::collections::BTreeSet<String> =
            sweep.members().unwrap().into_iter().map(|m| m.name).collect();
        assert_eq!(names.len(), 4);
        assert!(names.iter().all(|name| !name.contains(['/', '(', '"', ' '])), "{names:?}");
    }

    #[test]
    fn what_is_given_twice_or_not_at_all_is_refused() {
        for (recipes, set, seeds, said) in [
            (&["A", "A"][..], &[][..], "1", "named twice"),
            (&["A"], &["x.y=1,1"], "1", "given twice"),
            (&["A"], &["x.y=1", "x.y=2"], "1", "set twice"),
            (&["A"], &["x.y=1,"], "1", "missing"),
            (&["A"], &["x.y"], "1", "no `=`"),
            (&["A"], &["seed=1,2"], "1", "--seeds"),
            (&["A"], &["x.y=1,2"], "9000", "18000 runs"),
        ] {
            let why = sweep(recipes, set, seeds).unwrap_err().to_string();
            assert!(why.contains(said), "{why}");
        }
    }
}
