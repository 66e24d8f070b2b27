//! `report.html`: one page that holds all of a run and needs nothing else, neither network nor scripts.

mod accuracy;
mod answers;
mod chart;
mod code;
mod curves;
mod head;
mod html;
mod samples;
mod scale;
mod settings;
mod stages;

use std::path::Path;

use super::disk::replace;
use super::{Metrics, ShownImage, Table};
use crate::error::Result;

/// The settings of one stage: its name, its method, and what was set (name, value).
pub type StageSettings = (String, String, Vec<(String, String)>);

/// All that the page shows. What is empty is left out.
#[derive(Clone, Debug, Default)]
pub struct ReportData {
    /// The recipe's name.
    pub recipe: String,
    /// What the recipe is: its doc comment.
    pub doc: String,
    /// The seed of the run.
    pub seed: u64,
    /// How many steps the run was to take.
    pub steps: u64,
    /// How long it took, resumes included.
    pub seconds: f64,
    /// The loop as it ran.
    pub loop_text: String,
    /// The settings, stage by stage, in the order of the loop.
    pub settings: Vec<StageSettings>,
    /// The numbers of each step.
    pub metrics: Vec<(u64, Metrics)>,
    /// Who was how good before and after.
    pub table: Option<Table>,
    /// What was said to held-out prompts before and after.
    pub answers: Answers,
    /// Some rollouts with what was decided about them.
    pub samples: Vec<Sample>,
    /// The recipe this one was forked from, and how the two differ.
    pub diff: Option<(String, String)>,
    /// What else is in the run directory: path, what it is.
    pub files: Vec<(String, String)>,
    /// What the run is a function of: name, hash.
    pub hashes: Vec<(String, String)>,
}

/// One rollout: what was asked, what the student said, what it learned from that.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// The step that drew it.
    pub step: u64,
    /// What was asked.
    pub prompt: String,
    /// What it showed.
    pub images: Vec<ShownImage>,
    /// The prompt's domain.
    pub domain: String,
    /// The answer, token by token, as text.
    pub response: Vec<String>,
    /// The reward of each token, if the recipe has rewards.
    pub advantage: Option<Vec<f64>>,
    /// The regime of each token (`LH`, `LL`, `HT`, `HS`), if the recipe routes.
    pub regime: Option<Vec<String>>,
    /// What the task said of the answer; `None`: not judged.
    pub correct: Option<bool>,
    /// Whether the student learned from it.
    pub kept: bool,
}

/// Held-out answers before and after the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// How many there are, by whether they were right before and whether they are now.
    pub counts: [[usize; 2]; 2],
    /// Some of each.
    pub some: Vec<Answered>,
}

/// A held-out prompt with what the student said to it before and after.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answered {
    /// What was asked.
    pub prompt: String,
    /// What it showed.
    pub images: Vec<ShownImage>,
    /// The prompt's domain.
    pub domain: String,
    /// What is right, where the data says it.
    pub answer: Option<String>,
    /// What was said before.
    pub before: Said,
    /// What was said after.
    pub after: Said,
}

/// What a student said, and whether it was right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// The response.
    pub text: String,
    /// What the verifier said of it.
    pub correct: bool,
}

impl ReportData {
    /// Writes the page to `path`, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<()> {
        let page = self.render();
        replace(path, |file| file.write_all(page.as_bytes()))
    }

    /// The page as text.
    pub fn render(&self) -> String {
        let sections = [
            section("accuracy", "Accuracy", accuracy::render(self.table.as_ref())),
            section("answers", "Before and after", answers::render(&self.answers)),
            section("curves", "Curves", curves::render(&self.metrics)),
            section("time", "Where the time went", stages::render(&self.metrics)),
            section("samples", "Samples", samples::render(&self.samples)),
            section("loop", "The loop as it ran", code::render_loop(&self.loop_text)),
            section("diff", "Against its base", code::render_diff(self.diff.as_ref())),
            section("settings", "Settings", settings::render(&self.settings)),
            section("files", "Files and hashes", settings::render_files(self)),
        ];
        let body: Vec<String> = sections.iter().flatten().map(|(_, html)| html.clone()).collect();
        let links: Vec<String> = sections.iter().flatten().map(|(link, _)| link.clone()).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <link rel=\"icon\" href=\"data:,\">\n\
             <title>{title} · Limbeck run</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
             <main>\n{head}<nav>{links}</nav>\n{body}</main>\n</body>\n</html>\n",
            title = html::escape(&self.recipe),
            style = include_str!("report/style.css"),
            head = head::render(self),
            links = links.join(""),
            body = body.concat(),
        )
    }
}

/// A section and the link to it; none without content.
fn section(id: &str, title: &str, content: String) -> Option<(String, String)> {
    (!content.is_empty()).then(|| {
        (
            format!("<a href=\"#{id}\">{title}</a>"),
            format!("<section id=\"{id}\">\n<h2>{title}</h2>\n{content}</section>\n"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Accuracy;

    /// A page with something in every section, and something nasty in every text.
    fn nasty() -> ReportData {
        let nasty = || "<script>\"&'\u{0}\u{202e}</x>".to_owned();
        let mut metrics = Vec::new();
        for step in 0..40 {
            let mut m = Metrics::default();
            m.set("loss", if step == 7 { f64::NAN } else { 1e308 * (step as f64 - 20.0) });
            m.set("reverse_kl", f64::INFINITY);
            m.set("entropy", 0.5);
            m.set(&format!("accuracy/{}", nasty()), 0.01 * step as f64);
            m.set(&format!("eval/accuracy/{}", nasty()), -3.0);
            m.set("tokens", 100.0);
            m.set("step_time", 0.0);
            m.set(&format!("{}_time", nasty()), -1.0);
            m.set("loss_time", f64::NAN);
            m.set("rollout_time", 1.0);
            m.set("regime/LH", 3.0);
            metrics.push((step * (u64::MAX / 40), m));
        }
        let mut table = Table::new([nasty()]);
        table.row(nasty(), &[Accuracy { right: 1, wrong: 2, unjudged: 3 }]);
        table.row_against("after", &[Accuracy::default()], nasty());
        let sample = |advantage, regime, correct| Sample {
            step: 3,
            prompt: nasty(),
            images: vec![ShownImage {
                src: nasty(),
                width: 0,
                height: u32::MAX,
                boxes: vec![(nasty(), [f64::NAN, -1.0, f64::INFINITY, 0.0])],
            }],
            domain: nasty(),
            response: vec![nasty(), "\n".into(), String::new()],
            advantage,
            regime,
            correct,
            kept: false,
        };
        let said = |correct| Said { text: nasty(), correct };
        let answered = Answered {
            prompt: nasty(),
            images: Vec::new(),
            domain: nasty(),
            answer: Some(nasty()),
            before: said(true),
            after: said(false),
        };
        ReportData {
            recipe: nasty(),
            doc: nasty(),
            seed: u64::MAX,
            steps: u64::MAX,
            seconds: f64::NAN,
            loop_text: nasty(),
            settings: vec![(nasty(), nasty(), vec![(nasty(), nasty())])],
            metrics,
            table: Some(table),
            answers: Answers { counts: [[0, usize::MAX / 2], [1, 0]], some: vec![answered] },
            samples: vec![
                sample(Some(vec![f64::NAN]), None, None),
                sample(Some(vec![1.0, -2.0, 0.0, 5.0]), Some(vec![nasty()]), Some(true)),
                sample(None, Some(vec!["LH".into(); 9]), Some(false)),
            ],
            diff: Some((nasty(), format!("+{}\n-b\n c", nasty()))),
            files: vec![(nasty(), nasty())],
            hashes: vec![(nasty(), nasty()), ("plan".into(), "ä".repeat(40))],
        }
    }

    #[test]
    fn nothing_that_was_put_in_becomes_markup() {
        let page = nasty().render();
        assert!(!page.contains("<script"));
        assert!(!page.contains("</x>"));
        assert!(!page.contains(['\u{0}', '\u{202e}']));
        assert!(page.contains("&lt;script&gt;&quot;&amp;&#39;"));
    }

    #[test]
    fn the_page_asks_for_nothing_from_outside() {
        let page = nasty().render();
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn every_opened_element_is_closed_in_turn() {
        for page in [nasty().render(), ReportData::default().render()] {
            let mut open: Vec<&str> = Vec::new();
            for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
                let name = tag.split_whitespace().next().unwrap_or_default();
                let void = ["!doctype", "meta", "link", "br", "input"].contains(&name) || tag.ends_with('/');
                match name.strip_prefix('/') {
                    Some(closed) => assert_eq!(open.pop(), Some(closed), "in {tag}"),
                    None if void => {}
                    None => open.push(name),
                }
            }
            assert!(open.is_empty(), "{open:?}");
            assert!(!page.contains("NaN,") && !page.contains("inf,"), "no odd coordinates");
        }
    }

    #[test]
    fn what_is_empty_is_left_out() {
        let page = ReportData::default().render();
        assert!(!page.contains("<section"));
        assert_eq!(nasty().render().matches("<section").count(), 9);
    }

    #[test]
    fn it_is_written_whole_over_an_older_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        ReportData::default().write(&path).unwrap();
        nasty().write(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), nasty().render());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(nasty().write(Path::new("/nowhere/report.html")).is_err());
    }
}
