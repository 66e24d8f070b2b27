//! Libraries that give up on damaged files: their panic becomes an error, and says nothing on the way.

use std::cell::Cell;
use std::panic::{catch_unwind, set_hook, take_hook, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside [`caught`].
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// What `work` makes, or the words of its panic. What it has borrowed must not be used afterwards, but
/// to be dropped.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |panic| {
            if !INSIDE.get() {
                others(panic);
            }
        }));
    });
    INSIDE.set(true);
    let made = catch_unwind(AssertUnwindSafe(work));
    INSIDE.set(false);
    made.map_err(|why| {
        let said = why.downcast_ref::<String>().cloned();
        let said = said.or_else(|| why.downcast_ref::<&str>().map(ToString::to_string));
        said.unwrap_or_else(|| "the library that reads it gave up".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_is_told_as_words() {
        assert_eq!(caught(|| 7), Ok(7));
        assert_eq!(
            caught(|| Vec::<u8>::new()[0]).unwrap_err().split(':').next(),
            Some("index out of bounds")
        );
        let wordless: Result<(), String> = caught(|| std::panic::panic_any(7));
        assert_eq!(wordless, Err("the library that reads it gave up".into()));
    }
}
