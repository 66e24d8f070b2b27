//! The progress of a sweep: how many runs are done, which are under way, and how long the rest may take.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::progress::{can_draw, duration, say, template};
use super::ProgressStyle;

const BAR: &str = "{prefix:.bold} {wide_bar:.cyan/dim} {pos}/{len}  {elapsed}  {msg}";

/// The progress of a sweep. Any thread may say what it does.
pub(crate) struct Runs {
    total: usize,
    jobs: usize,
    bar: Option<ProgressBar>,
    quiet: bool,
    state: Mutex<State>,
}

struct State {
    done: usize,
    /// How many runs have ended in this process, and how long they took, in seconds.
    here: (usize, f64),
    running: Vec<(String, Instant)>,
}

impl Runs {
    /// A sweep of `total` runs, of which some are `done`; `jobs` at a time.
    pub fn new(total: usize, done: usize, jobs: usize, style: ProgressStyle) -> Self {
        let bar = (style == ProgressStyle::Auto && can_draw() && done < total).then(|| {
            let bar = ProgressBar::new(total as u64).with_style(template(BAR)).with_prefix("run");
            bar.set_position(done as u64);
            bar.enable_steady_tick(Duration::from_secs(1));
            bar
        });
        let state = State { done, here: (0, 0.0), running: Vec::new() };
        Self { total, jobs, bar, quiet: style == ProgressStyle::Hidden, state: Mutex::new(state) }
    }

    /// A run begins.
    pub fn begins(&self, label: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running.push((label.to_string(), Instant::now()));
        if let Some(bar) = &self.bar {
            bar.set_message(self.message(&state));
        }
    }

    /// A run has ended; `note` is what was wrong.
    pub fn ends(&self, label: &str, note: Option<&str>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = state.running.iter().position(|(other, _)| other == label) {
            let (_, start) = state.running.remove(at);
            state.here = (state.here.0 + 1, state.here.1 + start.elapsed().as_secs_f64());
        }
        state.done += 1;
        let done = state.done;
        match &self.bar {
            Some(bar) => {
                if let Some(note) = note {
                    bar.println(note);
                }
                bar.set_position(done as u64);
                bar.set_message(self.message(&state));
            }
            None if !self.quiet => {
                let left = self.left(&state).map_or(String::new(), |left| format!("  {left}"));
                say(&format!("run {done}/{}  {}{left}", self.total, note.unwrap_or(label)));
            }
            None => {}
        }
    }

    fn message(&self, state: &State) -> String {
        let left = self.left(state).map_or(String::new(), |left| format!("  {left}"));
        let running: Vec<&str> = state.running.iter().map(|(label, _)| label.as_str()).collect();
        format!("{}{left}", running.join("; "))
    }

    /// How long the rest takes, if runs go on as they did.
    fn left(&self, state: &State) -> Option<String> {
        let (ended, seconds) = state.here;
        let rest = self.total.saturating_sub(state.done);
        (ended > 0 && rest > 0).then(|| {
            let each = seconds / ended as f64;
            format!("{} left", duration(each * rest as f64 / self.jobs.max(1) as f64))
        })
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
            say("");
        }
    }
}
