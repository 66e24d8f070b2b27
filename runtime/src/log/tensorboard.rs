//! TensorBoard event files: `tb/events.out.tfevents.<unix seconds>.<name>`, written without TensorFlow.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::disk::Appender;
use super::Metrics;
use crate::error::{Error, Result};

/// One event file that grows step by step.
#[derive(Debug)]
pub struct EventFile {
    file: Appender,
}

impl EventFile {
    /// Starts an event file in `folder`, which is made if it is not there. A run writes one, and each
    /// resume another: TensorBoard reads them in order, and drops what the files before say of
    /// `start_step` and later.
    pub fn create(folder: &Path, name: &str, start_step: u64) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|why| Error::writing(folder, why))?;
        let now = now();
        let mut file = Appender::open(&free_path(folder, name, now as u64))?;
        file.append(&record(&version_event(now)))?;
        let mut events = Self { file };
        if start_step > 0 {
            events.restart_at(start_step)?;
        }
        Ok(events)
    }

    /// Tells TensorBoard to drop what the files before, and this one so far, say of `step` and later.
    pub fn restart_at(&mut self, step: u64) -> Result<()> {
        self.file.append(&record(&restart_event(now(), step)))
    }

    /// All numbers of a step, by their own names.
    pub fn scalars(&mut self, step: u64, metrics: &Metrics) -> Result<()> {
        let values = metrics.iter().map(|(name, value)| scalar_value(name, value));
        let event = summary_event(now(), step, values);
        self.file.append(&record(&event))
    }

    /// A text, for TensorBoard's text tab (Markdown).
    pub fn text(&mut self, step: u64, name: &str, text: &str) -> Result<()> {
        let event = summary_event(now(), step, [text_value(name, text)]);
        self.file.append(&record(&event))
    }

    /// Where the events go.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

/// The first name that is not taken: a run resumed within the second does not write into the old file.
fn free_path(folder: &Path, name: &str, unix: u64) -> PathBuf {
    let path = |second: u64| folder.join(format!("events.out.tfevents.{second:010}.{name}"));
    (unix..).map(path).find(|path| !path.exists()).unwrap_or_else(|| path(unix))
}

/// TFRecord framing: length, its checksum, data, its checksum; all little-endian.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend(length);
    record.extend(masked_crc(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked_crc(data).to_le_bytes());
    record
}

/// CRC-32C, turned and shifted so that the checksum of data with a checksum in it stays a good one.
fn masked_crc(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

// The messages of tensorboard/compat/proto/{event,summary,tensor}.proto; the numbers are their fields.

fn version_event(wall_time: f64) -> Vec<u8> {
    let mut event = Message::default();
    event.double(1, wall_time);
    event.bytes(3, b"brain.Event:2");
    event.0
}

/// A session log that says START: forget this step and what comes after it.
fn restart_event(wall_time: f64, step: u64) -> Vec<u8> {
    let mut log = Message::default();
    log.varint(1, 1);
    let mut event = Message::default();
    event.double(1, wall_time);
    event.varint(2, step);
    event.bytes(7, &log.0);
    event.0
}

fn summary_event(wall_time: f64, step: u64, values: impl IntoIterator<Item = Message>) -> Vec<u8> {
    let mut summary = Message::default();
    for value in values {
        summary.bytes(1, &value.0);
    }
    let mut event = Message::default();
    event.double(1, wall_time);
    event.varint(2, step);
    event.bytes(5, &summary.0);
    event.0
}

fn scalar_value(name: &str, number: f64) -> Message {
    let mut value = Message::default();
    value.bytes(1, name.as_bytes());
    value.float(2, number as f32);
    value
}

fn text_value(name: &str, text: &str) -> Message {
    let mut plugin = Message::default();
    plugin.bytes(1, b"text");
    let mut metadata = Message::default();
    metadata.bytes(1, &plugin.0);
    metadata.varint(4, 2); // DATA_CLASS_TENSOR
    let mut tensor = Message::default();
    tensor.varint(1, 7); // DT_STRING
    tensor.bytes(2, &[]); // a scalar: no dimensions
    tensor.bytes(8, text.as_bytes());
    let mut value = Message::default();
    value.bytes(1, name.as_bytes());
    value.bytes(8, &tensor.0);
    value.bytes(9, &metadata.0);
    value
}

/// A protobuf message under construction.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, field: u32, value: u64) {
        self.tag(field, 0);
        self.raw_varint(value);
    }

    fn double(&mut self, field: u32, value: f64) {
        self.tag(field, 1);
        self.0.extend(value.to_le_bytes());
    }

    fn float(&mut self, field: u32, value: f32) {
        self.tag(field, 5);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u32, value: &[u8]) {
        self.tag(field, 2);
        self.raw_varint(value.len() as u64);
        self.0.extend(value);
    }

    fn tag(&mut self, field: u32, wire: u64) {
        self.raw_varint(u64::from(field) << 3 | wire);
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_checksum_is_crc32c_masked() {
        // RFC 3720, B.4: 32 zero bytes have the CRC-32C 8a9136aa.
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        // ((crc >> 15) | (crc << 17)) + 0xa282ead8, worked out by hand.
        assert_eq!(masked_crc(&[0; 32]), 0x0fd7_fffa);
    }

    // The bytes below were written by TensorBoard's own protos and RecordWriter (2.21) in Python.
    #[test]
    fn a_file_starts_as_tensorboard_starts_it() {
        assert_eq!(
            hex(&record(&version_event(1_700_000_000.5))),
            "1800000000000000a37f4b220900002040fc54d9411a0d627261696e2e4576656e743a32\
             2b353110"
        );
    }

    #[test]
    fn scalars_are_encoded_as_tensorboard_encodes_them() {
        let values = [scalar_value("loss", 0.25), scalar_value("accuracy/math", -1.5)];
        let event = summary_event(1_700_000_000.5, 300, values);
        assert_eq!(
            hex(&record(&event)),
            "31000000000000009d8383e90900002040fc54d94110ac022a230a0b0a046c6f73731500\
             00803e0a140a0d61636375726163792f6d617468150000c0bf5320858e"
        );
    }

    #[test]
    fn texts_and_restarts_are_encoded_as_tensorboard_encodes_them() {
        let event = summary_event(1_700_000_000.5, 7, [text_value("loop", "für `it`")]);
        assert_eq!(
            hex(&record(&event)),
            "3200000000000000241956ec0900002040fc54d94110072a250a230a046c6f6f70420f08\
             071200420966c3bc7220606974604a0a0a060a047465787420023439cb4a"
        );
        assert_eq!(
            hex(&record(&restart_event(1_700_000_000.5, 40))),
            "0f000000000000006d532b090900002040fc54d94110283a02080188d80308"
        );
    }

    #[test]
    fn a_second_file_in_the_same_second_has_its_own_name() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("tb");
        let first = EventFile::create(&folder, "limbeck", 0).unwrap();
        let second = EventFile::create(&folder, "limbeck", 5).unwrap();
        assert!(first.path() < second.path());
    }

    #[test]
    fn a_run_writes_whole_records() {
        let dir = tempfile::tempdir().unwrap();
        let mut events = EventFile::create(dir.path(), "limbeck", 3).unwrap();
        let mut metrics = Metrics::default();
        metrics.set("loss", f64::NAN);
        metrics.set("tokens", 1e300);
        events.scalars(3, &metrics).unwrap();
        events.text(3, "loop", "").unwrap();
        let bytes = std::fs::read(events.path()).unwrap();
        let (mut at, mut records) = (0, 0);
        while at < bytes.len() {
            let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
            let data = &bytes[at + 12..at + 12 + length];
            assert_eq!(record(data), bytes[at..at + 16 + length]);
            at += 16 + length;
            records += 1;
        }
        assert_eq!(records, 4);
    }
}
