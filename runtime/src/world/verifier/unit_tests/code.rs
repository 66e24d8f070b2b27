//! The code in a response.

/// The last block between code fences; what follows a fence that is not closed; or the whole response.
pub(super) fn of(response: &str) -> String {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    let mut inside = false;
    for line in response.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
            if inside {
                blocks.push(Vec::new());
            }
        } else if inside && let Some(block) = blocks.last_mut() {
            block.push(line);
        }
    }
    match blocks.pop() {
        Some(block) => block.join("\n"),
        None => response.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_last_block_is_the_code() {
        assert_eq!(of("f = 1"), "f = 1");
        assert_eq!(of("So:\n```python\nf = 1\n  g\n```\nDone."), "f = 1\n  g");
        assert_eq!(of("```\na\n```\nor better\n```py\nb\n```"), "b");
        assert_eq!(of("```python\ncut"), "cut", "a response that was cut off");
    }
}
