//! Rows from Parquet: a page of each column at a time, never the whole file.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row as Record};
use serde_json::{Map, Number, Value};

use super::images::{Gallery, COLUMN};
use super::{Columns, Row};
use crate::error::{Error, Result};
use crate::world::caught::caught;

/// Whether the file is Parquet: by its name, or by how it begins.
pub(super) fn is_parquet(path: &Path) -> Result<bool> {
    if path.extension().is_some_and(|end| end == "parquet" || end == "pq") {
        return Ok(true);
    }
    let mut start = Vec::new();
    let mut file = File::open(path).map_err(|why| Error::reading(path, why))?;
    file.by_ref().take(4).read_to_end(&mut start).map_err(|why| Error::reading(path, why))?;
    Ok(start == b"PAR1")
}

/// The rows of a Parquet file, one after the other; it ends after the first error.
pub struct ParquetRows {
    records: RowIter<'static>,
    path: PathBuf,
    columns: Columns,
    number: usize,
    ids: HashMap<String, usize>,
    gallery: Gallery,
    failed: bool,
}

impl ParquetRows {
    /// Opens the file at `path`, whose columns may be called otherwise.
    ///
    /// # Errors
    /// A file that is damaged, lacks a column, or is compressed in a way that cannot be read.
    pub fn open(path: &Path, columns: &Columns) -> Result<Self> {
        let file = File::open(path).map_err(|why| Error::reading(path, why))?;
        let reader = caught(|| SerializedFileReader::new(file));
        let reader = reader.unwrap_or_else(gave_up).map_err(|why| damaged(&why).at(path.display()))?;
        can_be_read(&reader, path)?;
        let schema = reader.metadata().file_metadata().schema_descr().root_schema();
        let there: BTreeSet<String> = schema.get_fields().iter().map(|f| f.name().to_owned()).collect();
        if let Some(wrong) = columns.missing(&there, path) {
            return Err(wrong);
        }
        if !there.contains(columns.column("prompt")) {
            let said = columns.no_prompt(&there);
            let (what, next) = said.split_once('\n').unwrap_or((&said, ""));
            return Err(Error::call(what).at(path.display()).next(next));
        }
        Ok(Self {
            records: RowIter::from_file_into(Box::new(reader)),
            path: path.to_owned(),
            columns: columns.clone(),
            number: 0,
            ids: HashMap::new(),
            gallery: Gallery::beside(path),
            failed: false,
        })
    }

    fn row(&mut self, record: Record) -> Result<Row> {
        let place = format!("{}, row {}", self.path.display(), self.number);
        let mut row = Row::new("");
        for (column, field) in record.into_columns() {
            let at = || format!("{place}, column `{column}`");
            if self.columns.names(&column).any(|name| name == COLUMN) {
                row.images = self.gallery.held(field).map_err(|why| why.at(at()))?;
                continue;
            }
            let Some(value) = value_of(field).map_err(|what| Error::call(what).at(at()).next(LEAVE_OUT))?
            else {
                // bytes that are no text: an image, say. Nobody asked for them unless by name
                if self.columns.names(&column).any(|name| name != column || super::FIXED.contains(&name)) {
                    return Err(Error::call("it holds bytes that are not UTF-8 text")
                        .at(at())
                        .next(LEAVE_OUT));
                }
                continue;
            };
            let textual = |name| ["answer", "domain", "reference"].contains(&name);
            let value = match value {
                // a column has one type, so that nobody can put a single number in quotes
                Value::Number(number) if self.columns.names(&column).any(textual) => {
                    number.to_string().into()
                }
                value => value,
            };
            row.take(&column, value, &self.columns).map_err(|said| {
                let (what, next) = said.split_once('\n').unwrap_or((&said, LEAVE_OUT));
                Error::call(what).at(at()).next(next)
            })?;
        }
        if let Some(first) = row.columns.get("id").and_then(|id| self.ids.insert(id.clone(), self.number)) {
            let what = format!("`id` {:?} is already the id of row {first}", row.columns["id"]);
            return Err(Error::call(what).at(place).next("give every row an id of its own, or drop the ids"));
        }
        Ok(row)
    }
}

const LEAVE_OUT: &str = "correct the row, or write the file without it";

impl Iterator for ParquetRows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        if self.failed {
            return None;
        }
        self.number += 1;
        let records = &mut self.records;
        // the library gives up on some damage, and some of its own words for it are panics
        let next = caught(|| records.next()).unwrap_or_else(|why| Some(gave_up(why)))?;
        let place = || format!("{}, row {}", self.path.display(), self.number);
        let row = match next {
            Ok(record) => self.row(record),
            Err(why) => Err(damaged(&why).at(place())),
        };
        self.failed = row.is_err();
        Some(row)
    }
}

fn gave_up<T>(why: String) -> Result<T, ParquetError> {
    Err(ParquetError::General(why))
}

fn damaged(why: &ParquetError) -> Error {
    Error::call(format!("cannot be read as Parquet: {why}"))
        .next("the file is damaged or cut off: copy it again from where it came")
}

/// Refuses a compression that this build has not, before the first row.
fn can_be_read(reader: &SerializedFileReader<File>, path: &Path) -> Result<()> {
    let groups = reader.metadata().row_groups().iter();
    for column in groups.flat_map(|group| group.columns()) {
        let (name, next) = match column.compression() {
            Compression::ZSTD(_) if !cfg!(feature = "zstd") => {
                ("Zstandard", "build limbeck with `--features zstd`, or write the file with Snappy or gzip")
            }
            Compression::BROTLI(_) => ("Brotli", "write the file with Snappy, gzip or Zstandard"),
            Compression::LZO => ("LZO", "write the file with Snappy, gzip or Zstandard"),
            Compression::LZ4 | Compression::LZ4_RAW => {
                ("LZ4", "write the file with Snappy, gzip or Zstandard")
            }
            _ => continue,
        };
        let what = format!("it is compressed with {name}, which this build cannot read");
        let at = format!("{}, column `{}`", path.display(), column.column_path().string());
        return Err(Error::call(what).at(at).next(next));
    }
    Ok(())
}

/// What JSON would have there; nothing for bytes that are no text.
fn value_of(field: Field) -> Result<Option<Value>, String> {
    let finite = |number: f64| {
        let number = Number::from_f64(number).ok_or("a number that is not finite");
        number.map(|number| Some(Value::Number(number))).map_err(str::to_owned)
    };
    Ok(Some(match field {
        Field::Null => Value::Null,
        Field::Bool(it) => it.into(),
        Field::Byte(it) => it.into(),
        Field::Short(it) => it.into(),
        Field::Int(it) => it.into(),
        Field::Long(it) => it.into(),
        Field::UByte(it) => it.into(),
        Field::UShort(it) => it.into(),
        Field::UInt(it) => it.into(),
        Field::ULong(it) => it.into(),
        // the digits of the narrow number, not those of its nearest wide one
        Field::Float(it) => return finite(it.to_string().parse().unwrap_or(f64::NAN)),
        Field::Float16(it) => return finite(it.to_f32().to_string().parse().unwrap_or(f64::NAN)),
        Field::Double(it) => return finite(it),
        Field::Str(it) => it.into(),
        Field::Bytes(it) => match std::str::from_utf8(it.data()) {
            Ok(text) => text.into(),
            Err(_) => return Ok(None),
        },
        Field::Group(record) => Value::Object(fields_of(record)?),
        Field::ListInternal(list) => {
            let items = list.elements().iter().cloned().map(value_of);
            Value::Array(items.map(|item| item.map(Option::unwrap_or_default)).collect::<Result<_, _>>()?)
        }
        Field::MapInternal(map) => {
            let mut fields = Map::new();
            for (key, value) in map.entries() {
                let key = match value_of(key.clone())? {
                    Some(Value::String(key)) => key,
                    other => other.unwrap_or_default().to_string(),
                };
                fields.insert(key, value_of(value.clone())?.unwrap_or_default());
            }
            Value::Object(fields)
        }
        // days, times and decimals as people write them
        other => other.to_string().into(),
    }))
}

fn fields_of(record: Record) -> Result<Map<String, Value>, String> {
    let one = |(name, field)| Ok((name, value_of(field)?.unwrap_or_default()));
    record.into_columns().into_iter().map(one).collect()
}
