//! Reading of files line by line, because they can have any size.

use std::io::{self, BufRead, Read};

/// The result of reading a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The line was read, including its line feed.
    Whole,
    /// The file ends within the line.
    Torn,
    /// The line is longer than allowed.
    TooLong,
    /// The file has no further line.
    End,
}

/// Reads a line of at most `most` bytes into `line`, replacing its content.
pub(crate) fn read<R: BufRead + ?Sized>(
    input: &mut R,
    most: u64,
    line: &mut Vec<u8>,
) -> io::Result<Line> {
    line.clear();
    let read = input.take(most).read_until(b'\n', line)?;
    Ok(match line.last() {
        None => Line::End,
        Some(b'\n') => Line::Whole,
        Some(_) if read as u64 == most => Line::TooLong,
        Some(_) => Line::Torn,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_they_do() {
        let mut input = &b"one\n\nthree\ntorn"[..];
        let mut line = Vec::new();
        let mut next = || (read(&mut input, 6, &mut line).unwrap(), line.clone());
        assert_eq!(next(), (Line::Whole, b"one\n".to_vec()));
        assert_eq!(next(), (Line::Whole, b"\n".to_vec()));
        assert_eq!(next(), (Line::Whole, b"three\n".to_vec()));
        assert_eq!(next(), (Line::Torn, b"torn".to_vec()));
        assert_eq!(next().0, Line::End);
        let mut endless = io::BufReader::new(io::repeat(b'x'));
        assert_eq!(read(&mut endless, 6, &mut line).unwrap(), Line::TooLong);
        assert_eq!(line.len(), 6);
    }
}
