//! The images of a prompt for people: small pictures with the boxes that its row draws on them.

use std::io::Cursor;

use base64::prelude::{Engine, BASE64_STANDARD};
use image::imageops::{self, FilterType};
use image::ImageFormat;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::models::Picture;
use crate::world::rows::Row;

/// Pixels to the longer side of an image that is shown; larger ones are scaled down.
const LONGEST: u32 = 256;

/// An image as a page shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ShownImage {
    /// `data:image/png;base64,…`
    pub src: String,
    /// Pixels of the image as it was given.
    pub width: u32,
    /// And its rows.
    pub height: u32,
    /// Labels and edges, left, top, right and bottom, in pixels.
    pub boxes: Vec<(String, [f64; 4])>,
}

/// What a row's prompt shows; the boxes of its row, the columns `boxes` and `evidence`, are on the first.
pub(crate) fn shown<'a>(row: &Row, pictures: impl Iterator<Item = &'a Picture>) -> Vec<ShownImage> {
    let column = |name: &str| row.columns.get(name).map(|text| boxes(text)).unwrap_or_default();
    let mut drawn = column("boxes");
    drawn.extend(column("evidence"));
    let one = |picture: &Picture| ShownImage {
        src: png(picture),
        width: picture.width(),
        height: picture.height(),
        boxes: std::mem::take(&mut drawn),
    };
    pictures.map(one).collect()
}

fn png(picture: &Picture) -> String {
    let (width, height) = (picture.width(), picture.height());
    let longest = width.max(height);
    let small = (longest > LONGEST).then(|| {
        let scaled = |side: u32| (u64::from(side) * u64::from(LONGEST) / u64::from(longest)).max(1) as u32;
        imageops::resize(picture.image(), scaled(width), scaled(height), FilterType::Triangle)
    });
    let mut bytes = Vec::new();
    let image = small.as_ref().unwrap_or(picture.image());
    // memory does not fail to be written, and a page without a picture is still a page
    let written = image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).is_ok();
    if written {
        format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes))
    } else {
        String::new()
    }
}

/// The boxes in a column: labels with eight digits, `ro01020708;bq…`, a list of four numbers or of lists of four, perhaps
/// with a label before them; what is neither has none.
fn boxes(text: &str) -> Vec<(String, [f64; 4])> {
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        let one = edges(&value);
        return match &value {
            Value::Array(items) if one.is_none() => items.iter().filter_map(edges).collect(),
            _ => one.into_iter().collect(),
        };
    }
    let part = |part: &str| {
        let (label, digits) = part.split_at_checked(part.len().checked_sub(8)?)?;
        let edge = |at: usize| digits.get(2 * at..2 * at + 2)?.parse::<u8>().ok().map(f64::from);
        Some((label.to_owned(), [edge(0)?, edge(1)?, edge(2)?, edge(3)?]))
    };
    text.split(';').filter_map(part).collect()
}

fn edges(value: &Value) -> Option<(String, [f64; 4])> {
    let items = value.as_array()?;
    let (label, numbers) = match items.as_slice() {
        [Value::String(label), numbers @ ..] => (label.clone(), numbers),
        numbers => (String::new(), numbers),
    };
    match numbers {
        [a, b, c, d] => Some((label, [a.as_f64()?, b.as_f64()?, c.as_f64()?, d.as_f64()?])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_read_in_every_form() {
        let ro = ("ro".to_owned(), [1.0, 2.0, 7.0, 8.0]);
        assert_eq!(boxes("ro01020708;b701020408"), [ro.clone(), ("b7".to_owned(), [1.0, 2.0, 4.0, 8.0])]);
        assert_eq!(boxes("[[\"ro\", 1, 2, 7, 8]]"), [ro]);
        assert_eq!(boxes("[1, 2, 7.5, 8]"), [(String::new(), [1.0, 2.0, 7.5, 8.0])]);
        for none in ["n", "", "{}", "[1, 2]", "a red circle", "öö010207"] {
            assert_eq!(boxes(none), [], "{none}");
        }
    }

    #[test]
    fn a_large_image_is_shown_small() {
        let picture = Picture::new(1024, 2, vec![9; 1024 * 2 * 3]).unwrap();
        let src = png(&picture);
        assert!(src.starts_with("data:image/png;base64,iVBOR"));
        let bytes = BASE64_STANDARD.decode(src.split_once(',').unwrap().1).unwrap();
        assert_eq!(image::load_from_memory(&bytes).unwrap().width(), 256);
    }
}
