//! The images of a row: named by paths beside the data file, or held by it as bytes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::{ImageDecoder, ImageError, ImageReader, Limits};
use parquet::record::Field;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{kind, Row};
use crate::error::{Error, Result};
use crate::models::Picture;
use crate::world::caught::caught;

/// The column of images, as rows call it.
pub(super) const COLUMN: &str = "images";

/// What stands in a prompt where an image goes.
pub const MARK: &str = "<image>";

/// A file of an image has at most so many bytes.
const FILE: u64 = 64 << 20;
/// An image has at most so many pixels to a side,
const SIDE: u32 = 1 << 14;
/// takes at most so many bytes while it is decoded,
const DECODING: u64 = 512 << 20;
/// and all images of a data file together at most so many.
const ALL: u64 = 8 << 30;

const FORMS: &str =
    "write a path beside the data file, or an array of paths: [\"scenes/1.png\", \"scenes/2.png\"]";

/// The images of a row, in the order of their places in its prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// How the data names them, where it does.
    named: Vec<String>,
    pictures: Vec<Arc<Picture>>,
}

impl Images {
    /// Images that come from no file.
    pub fn of(pictures: Vec<Arc<Picture>>) -> Self {
        Self { named: Vec::new(), pictures }
    }

    /// The images, decoded.
    ///
    /// # Errors
    /// When they were named and nobody has read their files.
    pub fn pictures(&self) -> Result<&[Arc<Picture>]> {
        if self.pictures.len() < self.named.len() {
            return Err(Error::call("the row names images, and nobody has read them")
                .next("read rows with `limbeck::world::rows::read`, which reads their images as well"));
        }
        Ok(&self.pictures)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.named.len().max(self.pictures.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the data names them; nothing when one has no name.
    pub(super) fn names(&self) -> Option<&[String]> {
        (self.named.len() >= self.pictures.len()).then_some(&self.named)
    }

    /// The names in a column of JSON; the error says what is wrong and, on its second line, what to do.
    pub(super) fn named(column: &str, value: Value) -> Result<Self, String> {
        let one = |value: Value| match value {
            Value::String(path) if !path.is_empty() => Ok(path),
            other => Err(format!("`{column}` has {} where a path should be\n{FORMS}", kind(&other))),
        };
        let named = match value {
            Value::Null => Vec::new(),
            Value::Array(items) => items.into_iter().map(one).collect::<Result<_, _>>()?,
            other => vec![one(other)?],
        };
        Ok(Self { named, pictures: Vec::new() })
    }
}

/// The images of one data file: each is read once, whoever shows it.
pub(super) struct Gallery {
    folder: PathBuf,
    known: HashMap<PathBuf, Arc<Picture>>,
    /// Bytes of all images so far.
    bytes: u64,
}

impl Gallery {
    /// Of the data file at `path`.
    pub fn beside(path: &Path) -> Self {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Self { folder, known: HashMap::new(), bytes: 0 }
    }

    /// Reads what a row names.
    ///
    /// # Errors
    /// A file that is missing, too large, damaged, or neither PNG nor JPEG.
    pub fn fill(&mut self, row: &mut Row) -> Result<()> {
        let Images { named, pictures } = &mut row.images;
        for name in &named[pictures.len().min(named.len())..] {
            pictures.push(self.named(name)?);
        }
        Ok(())
    }

    fn named(&mut self, name: &str) -> Result<Arc<Picture>> {
        let path = self.folder.join(name);
        if let Some(known) = self.known.get(&path) {
            return Ok(Arc::clone(known));
        }
        let bytes = read(&path)
            .map_err(|(what, next)| Error::call(format!("the image {} {what}", path.display())).next(next))?;
        let picture = self
            .decoded(&bytes)
            .map_err(|(what, next)| Error::call(format!("the image {} {what}", path.display())).next(next))?;
        self.known.insert(path, Arc::clone(&picture));
        Ok(picture)
    }

    /// The images in a column of Parquet: paths, bytes, or groups of both, one or a list.
    ///
    /// # Errors
    /// As [`Gallery::fill`], or a column of something else.
    pub fn held(&mut self, field: Field) -> Result<Images> {
        match field {
            Field::ListInternal(list) => {
                let mut all = Images::default();
                for item in list.elements() {
                    let one = self.held(item.clone())?;
                    all.named.extend(one.named);
                    all.pictures.extend(one.pictures);
                }
                Ok(all)
            }
            Field::Null => Ok(Images::default()),
            Field::Str(path) => {
                let picture = self.named(&path)?;
                Ok(Images { named: vec![path], pictures: vec![picture] })
            }
            Field::Bytes(bytes) => {
                let picture = self.decoded(bytes.data());
                let picture =
                    picture.map_err(|(what, next)| Error::call(format!("the image {what}")).next(next))?;
                Ok(Images::of(vec![picture]))
            }
            Field::Group(group) => {
                let (mut bytes, mut path) = (Field::Null, Field::Null);
                for (name, field) in group.into_columns() {
                    match name.as_str() {
                        "bytes" => bytes = field,
                        "path" => path = field,
                        _ => {}
                    }
                }
                self.held(if matches!(bytes, Field::Null) { path } else { bytes })
            }
            _ => Err(Error::call("it holds neither paths nor the bytes of images")
                .next("write paths, bytes, or groups of `bytes` and `path`, one or a list in each row")),
        }
    }

    fn decoded(&mut self, bytes: &[u8]) -> Result<Arc<Picture>, (String, &'static str)> {
        let picture = decode(bytes)?;
        self.bytes += picture.bytes().len() as u64;
        if self.bytes > ALL {
            let what = format!("is one too many: all together take over {} GiB of memory", ALL >> 30);
            return Err((what, "scale the images down, or train on fewer rows"));
        }
        Ok(Arc::new(picture))
    }
}

/// The bytes of a file that is no larger than an image may be.
fn read(path: &Path) -> Result<Vec<u8>, (String, &'static str)> {
    let failed = |why: std::io::Error| {
        (format!("cannot be read: {why}"), "paths of images are looked for beside the data file")
    };
    // what is no file might never end
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(("is not a file".to_owned(), "name a PNG or a JPEG file"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(FILE + 1).read_to_end(&mut bytes)).map_err(failed)?;
    match bytes.len() as u64 > FILE {
        true => Err((format!("has more than {} MiB", FILE >> 20), "scale it down")),
        false => Ok(bytes),
    }
}

/// A PNG or a JPEG, as red, green and blue; what is transparent shows its own colour.
fn decode(bytes: &[u8]) -> Result<Picture, (String, &'static str)> {
    let tried = caught(|| {
        let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
        let mut limits = Limits::default();
        (limits.max_image_width, limits.max_image_height) = (Some(SIDE), Some(SIDE));
        limits.max_alloc = Some(DECODING);
        reader.limits(limits.clone());
        let mut decoder = reader.into_decoder()?;
        limits.reserve(decoder.total_bytes())?;
        decoder.set_limits(limits)?;
        image::DynamicImage::from_decoder(decoder).map(|image| image.to_rgb8())
    });
    // the library gives up on some damage, and some of its words for it are panics
    let image = tried.unwrap_or_else(|why| Err(ImageError::IoError(std::io::Error::other(why))));
    image.map(Picture::of).map_err(|why| match why {
        ImageError::Limits(_) => (
            format!("is too large: over {SIDE} pixels to a side, or {} MiB to decode", DECODING >> 20),
            "scale it down",
        ),
        ImageError::Unsupported(_) => ("is neither PNG nor JPEG".to_owned(), "convert it to one of these"),
        why => (format!("cannot be decoded: {why}"), "it is damaged or cut off: copy it again"),
    })
}

/// A fingerprint of all images that rows show; none where they show none.
pub(crate) fn fingerprint<'a>(rows: impl Iterator<Item = &'a Row>) -> Option<String> {
    let mut sum = Sha256::new();
    let mut some = false;
    for picture in rows.flat_map(|row| &row.images.pictures) {
        some = true;
        sum.update(picture.width().to_le_bytes());
        sum.update(picture.height().to_le_bytes());
        sum.update(picture.bytes());
    }
    some.then(|| sum.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}
