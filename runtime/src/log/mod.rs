//! What people see and what a run leaves behind: numbers, samples, curves, one table, one page.
//!
//! [`Metrics`] holds the numbers of one step. [`JsonLines`] and [`EventFile`] write them to disk,
//! [`Progress`] shows them while the run goes, [`Table`] and [`ReportData`] when it is over.

pub mod accuracy;
mod describe;
mod disk;
pub mod jsonl;
pub mod metrics;
pub mod progress;
pub mod report;
mod runs;
mod shown;
pub mod side;
pub mod table;
mod table_text;
pub mod tensorboard;
mod training;

pub use accuracy::{Accuracy, Change, Estimate};
pub use jsonl::{read_metrics, JsonLines};
pub use metrics::Metrics;
pub use progress::{Progress, ProgressStyle};
pub use report::{Answered, Answers, ReportData, Said, Sample, StageSettings};
pub(crate) use runs::Runs;
pub(crate) use shown::shown;
pub use shown::ShownImage;
pub use side::Side;
pub use table::Table;
pub use tensorboard::EventFile;
pub use training::Log;
