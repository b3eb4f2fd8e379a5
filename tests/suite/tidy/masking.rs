//! Blanks comments, strings and characters in Rust text, so that the rules see code only. Offsets and lines stay.

/// The same text with every comment, string and character literal replaced by spaces.
pub fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut masked = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = end_of_literal(bytes, at);
        for byte in &mut masked[at..end.unwrap_or(at)] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.unwrap_or(at + 1);
    }
    String::from_utf8(masked).expect("whole literals were replaced by ASCII")
}

/// Where the comment or literal that begins at `at` ends; `None` when none begins there.
fn end_of_literal(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => Some(at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())),
        [b'/', b'*', ..] => Some(end_of_block_comment(bytes, at)),
        [b'r', b'"' | b'#', ..] => end_of_raw_string(bytes, at),
        [b'"', ..] => Some(end_of_quoted(bytes, at, b'"')),
        [b'\'', b'\\', ..] => Some(end_of_quoted(bytes, at, b'\'')),
        // A character is at most four bytes; a quote that none closes begins a lifetime.
        [b'\'', ..] => {
            let width = rest.get(1).map_or(1, |first| first.leading_ones().max(1) as usize);
            (rest.get(1 + width) == Some(&b'\'')).then_some(at + width + 2)
        }
        _ => None,
    }
}

fn end_of_block_comment(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn end_of_raw_string(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    if bytes.get(at + 1 + hashes) != Some(&b'"') {
        return None; // a raw identifier
    }
    let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    let body = at + 2 + hashes;
    let found = bytes[body..].windows(close.len()).position(|window| window == close);
    Some(found.map_or(bytes.len(), |offset| body + offset + close.len()))
}

fn end_of_quoted(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != quote {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    (end + 1).min(bytes.len())
}

#[test]
fn comments_and_literals_are_blank_and_code_stays() {
    let masked = |text: &str| mask(text).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(masked("a // b\nc"), "a c");
    assert_eq!(masked("a /* b /* c */ d */ e"), "a e");
    assert_eq!(masked(r#"f("a \" b", c)"#), "f( , c)");
    assert_eq!(masked("f(r#\"a \" b\"#, c)"), "f( , c)");
    assert_eq!(masked("r#type + b'x' + '\\'' + '\u{e9}' + c"), "r#type + b + + + c");
    assert_eq!(masked("fn f<'a>(x: &'a str, y: &'static u8)"), "fn f<'a>(x: &'a str, y: &'static u8)");
    assert_eq!(mask("a /*\n*/ b"), "a   \n   b", "lines and offsets stay");
    assert_eq!(masked("\"open"), "");
}
