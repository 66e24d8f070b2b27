//! Short progress for work beside the training steps.

use std::sync::Mutex;
use std::time::Instant;

use indicatif::ProgressBar;

use super::progress::{duration, say, template, Screen, EVERY};

const BAR: &str = "{prefix:.dim} {bar:24.dim} {pos}/{len}  {eta} left";

/// A short bar for work beside the training steps; it goes away when dropped.
#[derive(Debug)]
pub struct Side {
    title: String,
    total: u64,
    start: Instant,
    screen: Screen,
    /// Parts done, and when the last line was written.
    state: Mutex<(u64, Instant)>,
}

impl Side {
    /// A bar above the one of `screen`, or a line that says what begins.
    pub(super) fn open(title: &str, total: u64, screen: &Screen) -> Self {
        let screen = match screen {
            Screen::Bars(all, main) => {
                let bar = ProgressBar::new(total).with_style(template(BAR));
                let bar = all.insert_before(main, bar.with_prefix(title.to_owned()));
                bar.tick();
                Screen::Bars(all.clone(), bar)
            }
            Screen::Lines => {
                say(&format!("{title}: {total} to do"));
                Screen::Lines
            }
            Screen::Nothing => Screen::Nothing,
        };
        let start = Instant::now();
        Self { title: title.to_owned(), total, start, screen, state: Mutex::new((0, start)) }
    }

    /// `n` more parts are done. Any thread may say so.
    pub fn inc(&self, n: u64) {
        if let Screen::Bars(_, bar) = &self.screen {
            bar.inc(n);
        }
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        let (done, at) = *state;
        let late = at.elapsed() >= EVERY;
        *state = (done.saturating_add(n), if late { Instant::now() } else { at });
        if late && matches!(self.screen, Screen::Lines) {
            say(&format!("{}: {}/{}", self.title, state.0, self.total));
        }
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        let done = self.state.lock().map_or(0, |state| state.0);
        match &self.screen {
            Screen::Bars(all, bar) => {
                bar.finish_and_clear();
                all.remove(bar);
            }
            Screen::Lines => {
                let took = duration(self.start.elapsed().as_secs_f64());
                say(&format!("{}: {done}/{} in {took}", self.title, self.total));
            }
            Screen::Nothing => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_thread_may_count() {
        let side = Side::open("evaluating student", 40, &Screen::Nothing);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10).for_each(|_| side.inc(1)));
            }
        });
        assert_eq!(side.state.lock().unwrap().0, 40);
    }
}
