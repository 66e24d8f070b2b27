//! The device address in the `Debug` text of a tensor.

use std::fmt;

/// What stands before the address.
const NAME: &[u8] = b"cu_device_ptr: ";

/// Reads text as it is printed, up to the end of the number after the first [`NAME`].
#[derive(Default)]
pub(crate) struct Reader {
    /// How much of the name has just been read.
    matched: usize,
    number: u64,
    digits: usize,
    over: bool,
}

impl Reader {
    /// The number, if there was one and something after it.
    pub fn address(&self) -> Option<u64> {
        (self.digits > 0 && self.over).then_some(self.number)
    }
}

impl fmt::Write for Reader {
    /// Refuses more once the number is over, so that nothing else is printed.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.matched < NAME.len() {
                // what a tensor prints has no part of the name before the whole of it
                self.matched =
                    if byte == NAME[self.matched] { self.matched + 1 } else { usize::from(byte == NAME[0]) };
                continue;
            }
            if !byte.is_ascii_digit() {
                self.over = true;
                return Err(fmt::Error);
            }
            self.number = self.number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
            self.digits += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    #[derive(Debug)]
    #[allow(dead_code)] // printed
    struct Slice {
        cu_device_ptr: u64,
        len: usize,
    }

    #[derive(Debug)]
    #[allow(dead_code)] // printed
    struct Shown<T> {
        id: &'static str,
        data: std::sync::Arc<T>,
    }

    fn read(shown: &impl fmt::Debug) -> Option<u64> {
        let mut reader = Reader::default();
        let _ = write!(reader, "{shown:?}");
        reader.address()
    }

    #[test]
    fn the_address_is_read_and_nothing_after_it() {
        let data = std::sync::Arc::new(Slice { cu_device_ptr: 139_637_976_727_552, len: 7 });
        assert_eq!(read(&Shown { id: "ccu_device_ptr :", data }), Some(139_637_976_727_552));
        assert_eq!(read(&Shown { id: "cu_device_pt", data: std::sync::Arc::new(3) }), None);
        assert_eq!(read(&"cu_device_ptr: x"), None);
    }
}
