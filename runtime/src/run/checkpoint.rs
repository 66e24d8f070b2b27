//! Checkpoints: everything a run needs to go on as if it had never stopped, written whole or not at all.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{serialize_to_file, View};
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::directory::{write_whole, RunDirectory};
use super::prepare::step_of;
use crate::error::{Error, Result};
use crate::kernels::adamw::{Moment, Moments};
use crate::log::Log;
use crate::models::{replace, Decoder, LossScale};
use crate::stages::data::{Feed, FeedState};
use crate::stages::step::Optimiser;
use crate::tensor::{shape, to_host, Device, Matrix};
use crate::world::World;

const MOMENTS: &str = "optimizer.safetensors";

/// Everything of a checkpoint that is not a tensor. Random numbers follow from seed and step.
#[derive(Serialize, Deserialize)]
struct State {
    /// How many steps are done.
    step: u64,
    data: FeedState,
    updates: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    loss_scale: Option<LossScale>,
    hashes: Vec<(String, String)>,
}

/// Writes the checkpoint after step `it`.
pub(super) fn save<W: World>(
    directory: &RunDirectory,
    it: u64,
    data: &FeedState,
    moments: &Moments<W::Device>,
    world: &W,
    hashes: &[(String, String)],
) -> Result<()> {
    let name = format!("checkpoints/step-{:06}", it + 1);
    let (whole, partial) = (directory.path(&name), directory.path(&format!("{name}.partial")));
    let written = write_all(&partial, it, data, moments, world, hashes);
    if let Err(why) = written {
        let _ = fs::remove_dir_all(&partial);
        return Err(why);
    }
    if whole.exists() {
        fs::remove_dir_all(&whole).map_err(|why| Error::writing(&whole, why))?;
    }
    fs::rename(&partial, &whole).map_err(|why| Error::writing(&whole, why))
}

fn write_all<W: World>(
    folder: &Path,
    it: u64,
    data: &FeedState,
    moments: &Moments<W::Device>,
    world: &W,
    hashes: &[(String, String)],
) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|why| Error::writing(folder, why))?;
    }
    world.student().keep(&folder.join("student"))?;
    for (seat, policy) in world.followers() {
        policy.keep(&folder.join("teachers").join(seat))?;
    }
    save_moments(&folder.join(MOMENTS), moments, &world.student().decoder)?;
    let state = State {
        step: it + 1,
        data: data.clone(),
        updates: moments.steps(),
        loss_scale: world.student().decoder.loss_scale(),
        hashes: hashes.to_vec(),
    };
    let text = serde_json::to_string_pretty(&state)
        .map_err(|why| Error::run(format!("the state cannot be written: {why}")))?;
    write_whole(&folder.join("state.json"), text.as_bytes())
}

/// Puts everything back as it was.
pub(super) fn restore<W: World>(
    folder: &Path,
    data: &mut Feed,
    step: &mut Optimiser<W::Device>,
    world: &mut W,
    log: &mut Log,
) -> Result<u64> {
    let state = read_state(folder)?;
    take_weights(folder, world)?;
    step.moments = load_moments(&folder.join(MOMENTS), state.updates, &world.student().decoder)
        .map_err(|why| why.next(go_back(folder)))?;
    if state.loss_scale.is_some() {
        world.student_mut().decoder.scale_losses(state.loss_scale);
    }
    data.restore(state.data)?;
    log.restart_after(state.step)?;
    Ok(state.step)
}

/// The student as the checkpoint has it.
pub(super) fn take_weights<W: World>(folder: &Path, world: &mut W) -> Result<()> {
    world.student_mut().recall(&folder.join("student")).map_err(|why| why.next(go_back(folder)))?;
    let seats: Vec<String> = world.followers().into_iter().map(|(seat, _)| seat.to_string()).collect();
    for seat in seats {
        if let Some(policy) = world.follower_mut(&seat) {
            let recalled = policy.recall(&folder.join("teachers").join(&seat));
            recalled.map_err(|why| why.next(go_back(folder)))?;
        }
    }
    Ok(())
}

fn go_back(folder: &Path) -> String {
    format!("remove {}, and `limbeck resume` goes on from the checkpoint before it", folder.display())
}

/// One tensor a moment: `<parameter>.first` and `<parameter>.second`, each on the host only while it is written.
fn save_moments<D: Device>(path: &Path, moments: &Moments<D>, student: &Decoder<D>) -> Result<()> {
    let named = |(name, values): (&str, [_; 2])| {
        let [first, second] = values.map(OnDevice::of);
        [(format!("{name}.first"), first), (format!("{name}.second"), second)]
    };
    let tensors = moments.of_each(student).flat_map(named);
    replace(path, |path| serialize_to_file(tensors, None, path).map_err(|why| Error::writing(path, why)))
}

/// A matrix as one row of numbers, copied when it is asked for.
struct OnDevice<'a, D: Device> {
    values: &'a Matrix<D>,
    shape: [usize; 1],
}

impl<'a, D: Device> OnDevice<'a, D> {
    fn of(values: &'a Matrix<D>) -> Self {
        let (rows, columns) = shape(values);
        Self { values, shape: [rows * columns] }
    }
}

impl<D: Device> View for OnDevice<'_, D> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(to_host(self.values).iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    fn data_len(&self) -> usize {
        4 * self.shape[0]
    }
}

fn load_moments<D: Device>(path: &Path, updates: u64, student: &Decoder<D>) -> Result<Moments<D>> {
    let damaged = |why: String| Error::call(format!("is damaged: {why}")).at(path.display());
    let bytes = fs::read(path).map_err(|why| Error::reading(path, why))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|why| damaged(why.to_string()))?;
    let read = |name: &str, which: &str| -> Result<Vec<f32>> {
        let tensor = tensors.tensor(&format!("{name}.{which}")).map_err(|why| damaged(why.to_string()))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(damaged(format!("`{name}.{which}` is of type {:?}", tensor.dtype())));
        }
        let numbers = tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        Ok(numbers.collect())
    };
    let mut all = Vec::new();
    for parameter in student.learning() {
        let name = parameter.name().to_string();
        let (first, second) = (read(&name, "first")?, read(&name, "second")?);
        all.push(Moment { name, first, second });
    }
    Moments::import(student, updates, all).map_err(|why| why.or_at(path.display()))
}

fn read_state(folder: &Path) -> Result<State> {
    let path = folder.join("state.json");
    let text = fs::read_to_string(&path).map_err(|why| Error::reading(&path, why).next(go_back(folder)))?;
    serde_json::from_str(&text)
        .map_err(|why| Error::call(format!("is damaged: {why}")).at(path.display()).next(go_back(folder)))
}

/// The latest whole checkpoint of a run directory.
///
/// # Errors
/// A directory that cannot be read.
pub(crate) fn latest(directory: &RunDirectory) -> Result<Option<PathBuf>> {
    Ok(all(directory)?.pop())
}

/// How many steps the latest whole checkpoint has.
pub(super) fn latest_step(directory: &RunDirectory) -> Result<Option<u64>> {
    Ok(latest(directory)?.as_deref().and_then(step_of))
}

/// Removes all but the latest `keep` checkpoints.
pub(super) fn forget_all_but(directory: &RunDirectory, keep: usize) -> Result<()> {
    let mut old = all(directory)?;
    old.truncate(old.len().saturating_sub(keep));
    for folder in old {
        fs::remove_dir_all(&folder).map_err(|why| Error::writing(&folder, why))?;
    }
    Ok(())
}

/// Every whole checkpoint of a run directory, the earliest first.
fn all(directory: &RunDirectory) -> Result<Vec<PathBuf>> {
    let folder = directory.path("checkpoints");
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => return Err(Error::reading(&folder, why)),
    };
    let whole = |path: &PathBuf| step_of(path).is_some() && path.join("state.json").is_file();
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(whole).collect();
    found.sort_by_key(|path| step_of(path));
    Ok(found)
}

/// The fingerprints a checkpoint was written under.
///
/// # Errors
/// A checkpoint that is damaged.
pub(crate) fn hashes_of(folder: &Path) -> Result<Vec<(String, String)>> {
    Ok(read_state(folder)?.hashes)
}
