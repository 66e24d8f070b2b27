//! Progress on stderr: bars in a terminal, a plain line now and then in a file, or nothing.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle as Template};

use super::metrics::{Metrics, ACCURACY, STEP_TIME};
use super::side::Side;

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressStyle {
    /// Bars if stderr is a terminal, plain lines otherwise.
    #[default]
    Auto,
    /// One line at least every twentieth of the run and every minute.
    Plain,
    /// Nothing at all, notes included.
    Hidden,
}

/// A plain line is due after this time, however short the way made in it.
pub(super) const EVERY: Duration = Duration::from_secs(60);
/// How much the latest step counts in the time a step takes.
const LATEST: f64 = 0.1;

/// The progress of one run.
#[derive(Debug)]
pub struct Progress {
    total: u64,
    start: u64,
    screen: Screen,
    pace: Option<Pace>,
    last_line: Option<(u64, Instant)>,
}

/// Where progress shows.
#[derive(Clone, Debug)]
pub(super) enum Screen {
    /// All bars, and the one in question.
    Bars(MultiProgress, ProgressBar),
    Lines,
    Nothing,
}

/// How long a step takes, as far as one can say.
#[derive(Clone, Copy, Debug)]
struct Pace {
    seconds: f64,
    at: Instant,
}

impl Progress {
    /// The progress of a run of `total_steps`, of which `start_step` are done already.
    pub fn new(total_steps: u64, start_step: u64, style: ProgressStyle) -> Self {
        let screen = match style {
            ProgressStyle::Auto if can_draw() => bars(total_steps, start_step),
            ProgressStyle::Auto | ProgressStyle::Plain => Screen::Lines,
            ProgressStyle::Hidden => Screen::Nothing,
        };
        Self { total: total_steps, start: start_step, screen, pace: None, last_line: None }
    }

    /// Step `it`, counted from 0, is done, and these are its numbers.
    pub fn step(&mut self, it: u64, metrics: &Metrics) {
        let done = it.saturating_add(1);
        let seconds = self.measure(metrics);
        let left = seconds * self.total.saturating_sub(done) as f64;
        let numbers = numbers(metrics, seconds, left);
        match &self.screen {
            Screen::Bars(_, bar) => {
                bar.set_position(done);
                bar.set_message(numbers);
            }
            Screen::Lines if self.line_due(done) => {
                self.last_line = Some((done, Instant::now()));
                say(&format!("step {done}/{}  {numbers}", self.total));
            }
            Screen::Lines | Screen::Nothing => {}
        }
    }

    /// Work beside the training steps, like "measuring difficulty", of `total` parts.
    /// It is over when the returned value is dropped.
    pub fn side(&self, title: &str, total: u64) -> Side {
        Side::open(title, total, &self.screen)
    }

    /// A note above the bars.
    pub fn println(&self, text: &str) {
        match &self.screen {
            Screen::Bars(all, _) => drop(all.println(text)),
            Screen::Lines => say(text),
            Screen::Nothing => {}
        }
    }

    /// Seconds a step takes: the mean so far, later ones counting more.
    fn measure(&mut self, metrics: &Metrics) -> f64 {
        let now = Instant::now();
        let reported = metrics.get(STEP_TIME).filter(|s| s.is_finite() && *s >= 0.0);
        let passed = || self.pace.map(|pace| (now - pace.at).as_secs_f64());
        let Some(latest) = passed().or(reported) else {
            return 0.0;
        };
        let seconds = self.pace.map_or(latest, |pace| pace.seconds + LATEST * (latest - pace.seconds));
        self.pace = Some(Pace { seconds, at: now });
        seconds
    }

    fn line_due(&self, done: u64) -> bool {
        let Some((step, at)) = self.last_line else {
            return true;
        };
        let stride = (self.total.saturating_sub(self.start) / 20).max(1);
        done >= self.total || done >= step.saturating_add(stride) || at.elapsed() >= EVERY
    }
}

/// The bar stays as it is: full, or where the run broke off.
impl Drop for Progress {
    fn drop(&mut self) {
        if let Screen::Bars(_, bar) = &self.screen {
            bar.abandon();
            // What comes next starts on its own line.
            say("");
        }
    }
}

const MAIN: &str = "{prefix:.bold} {wide_bar:.cyan/dim} {pos}/{len}  {msg}";

fn bars(total: u64, start: u64) -> Screen {
    let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
    let bar = ProgressBar::new(total).with_style(template(MAIN)).with_prefix("step").with_position(start);
    let bar = all.add(bar);
    Screen::Bars(all, bar)
}

pub(super) fn template(text: &str) -> Template {
    let template = Template::with_template(text).unwrap_or_else(|_| Template::default_bar());
    template.progress_chars("━╸─")
}

pub(super) fn can_draw() -> bool {
    io::stderr().is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// What matters of a step in one line; what is not known is left out.
fn numbers(metrics: &Metrics, seconds: f64, left: f64) -> String {
    let mut parts = Vec::new();
    if let Some(loss) = metrics.get("loss") {
        parts.push(format!("loss {loss:.4}"));
    }
    for (domain, share) in metrics.under(ACCURACY) {
        parts.push(format!("{domain} {:.0} %", share * 100.0));
    }
    let own = metrics.get(STEP_TIME).unwrap_or(seconds);
    if let Some(tokens) = metrics.get("tokens").filter(|_| own > 0.0) {
        parts.push(format!("{} tokens/s", thousands(tokens / own)));
    }
    if seconds > 0.0 {
        parts.push(format!("{} left", duration(left)));
    }
    parts.join("  ")
}

fn thousands(number: f64) -> String {
    if number < 1e4 {
        format!("{number:.0}")
    } else {
        format!("{:.1}k", number / 1e3)
    }
}

/// `12 s`, `3:07 min`, `2:05 h`.
pub(super) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..=59 => format!("{whole} s"),
        60..=3599 => format!("{}:{:02} min", whole / 60, whole % 60),
        _ => format!("{}:{:02} h", whole / 3600, whole % 3600 / 60),
    }
}

/// Writes a line to stderr; nobody listening is no reason to stop a run.
pub(super) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{}", line.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Metrics {
        let mut metrics = Metrics::default();
        for (name, value) in [
            ("loss", 0.41237),
            ("accuracy/math", 0.482),
            ("accuracy/code", 0.31),
            ("tokens", 24_000.0),
            ("step_time", 2.0),
        ] {
            metrics.set(name, value);
        }
        metrics
    }

    #[test]
    fn the_line_says_what_matters_and_leaves_out_what_is_unknown() {
        let line = numbers(&metrics(), 2.0, 187.0);
        assert_eq!(line, "loss 0.4124  math 48 %  code 31 %  12.0k tokens/s  3:07 min left");
        assert_eq!(numbers(&Metrics::default(), 0.0, 0.0), "");
    }

    #[test]
    fn durations_read_as_people_say_them() {
        let read = [0.4, 59.4, 61.0, 7_500.0, f64::NAN, f64::INFINITY].map(duration);
        assert_eq!(read[..4], ["0 s", "59 s", "1:01 min", "2:05 h"]);
    }

    #[test]
    fn a_plain_line_is_due_every_twentieth_and_at_the_end() {
        let mut progress = Progress::new(210, 10, ProgressStyle::Plain);
        let mut lines = Vec::new();
        for done in 11..=210 {
            if progress.line_due(done) {
                progress.last_line = Some((done, Instant::now()));
                lines.push(done);
            }
        }
        assert_eq!(lines.len(), 21);
        assert_eq!((lines[0], lines[1], lines[20]), (11, 21, 210));
    }

    #[test]
    fn no_style_minds_odd_numbers() {
        for style in [ProgressStyle::Auto, ProgressStyle::Plain, ProgressStyle::Hidden] {
            let mut progress = Progress::new(0, 5, style);
            let mut odd = metrics();
            odd.set("step_time", f64::NAN);
            odd.set("loss", f64::INFINITY);
            progress.step(u64::MAX, &odd);
            progress.step(0, &Metrics::default());
            let side = progress.side("measuring difficulty", 0);
            side.inc(u64::MAX);
            side.inc(7);
            progress.println("a note");
        }
    }
}
