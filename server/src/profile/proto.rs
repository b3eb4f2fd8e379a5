//! Google's `profile.proto`, as `go tool pprof` and speedscope read it. By hand: of its messages a few fields are written, and
//! a crate for it would bring a compiler of such files.
//!
//! Source: <https://github.com/google/pprof/blob/main/proto/profile.proto>.

use super::Seen;

/// Names of what is counted stand before those of functions.
const WORDS: [&str; 5] = ["", "samples", "count", "cpu", "nanoseconds"];

/// A message of fields by their numbers.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn message(self, field: u64, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    fn numbers(self, field: u64, values: impl Iterator<Item = u64>) -> Self {
        let mut packed = Self::default();
        values.for_each(|value| packed.varint(value));
        self.message(field, &packed)
    }
}

/// What was seen, as bytes. Function and location `i` are of name `i - 1`.
pub fn profile(seen: &Seen) -> Vec<u8> {
    let every_ns = seen.every.as_nanos() as u64;
    let kind = |word: u64, unit: u64| Message::default().number(1, word).number(2, unit);
    let mut profile = Message::default().message(1, &kind(1, 2)).message(1, &kind(3, 4));
    for (stack, count) in &seen.stacks {
        // The innermost first.
        let locations = stack.iter().rev().map(|name| *name as u64 + 1);
        let values = [*count, count * every_ns].into_iter();
        profile = profile.message(2, &Message::default().numbers(1, locations).numbers(2, values));
    }
    for id in 1..=seen.names.len() as u64 {
        let line = Message::default().number(1, id);
        profile = profile.message(4, &Message::default().number(1, id).message(4, &line));
    }
    for id in 1..=seen.names.len() as u64 {
        let name = WORDS.len() as u64 + id - 1;
        profile = profile.message(5, &Message::default().number(1, id).number(2, name).number(3, name));
    }
    let names = WORDS.into_iter().chain(seen.names.iter().map(String::as_str));
    let profile = names.fold(profile, |profile, name| profile.bytes(6, name.as_bytes()));
    profile.number(10, seen.lasted.as_nanos() as u64).message(11, &kind(3, 4)).number(12, every_ns).0
}

#[cfg(test)]
mod tests {
    use super::super::tests::seen;
    use super::*;

    /// A field as it is read: a number, or bytes.
    #[derive(Debug, Clone, Copy)]
    enum Field<'a> {
        Number(u64),
        Bytes(&'a [u8]),
    }

    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = bytes.split_first().expect("it goes on");
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        value
    }

    fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
        let mut fields = vec![];
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let value = varint(&mut bytes);
            let field = match key & 7 {
                0 => Field::Number(value),
                2 => {
                    let (content, rest) = bytes.split_at(value as usize);
                    bytes = rest;
                    Field::Bytes(content)
                }
                kind => panic!("kind {kind}"),
            };
            fields.push((key >> 3, field));
        }
        fields
    }

    fn messages(message: &[u8], number: u64) -> Vec<&[u8]> {
        let of = |(field, value): (u64, _)| match value {
            Field::Bytes(bytes) if field == number => Some(bytes),
            _ => None,
        };
        fields(message).into_iter().filter_map(of).collect()
    }

    fn number(message: &[u8], number: u64) -> u64 {
        let of = |(field, value): &(u64, Field<'_>)| match value {
            Field::Number(value) if *field == number => Some(*value),
            _ => None,
        };
        fields(message).iter().find_map(of).expect("is there")
    }

    fn packed(mut bytes: &[u8]) -> Vec<u64> {
        std::iter::from_fn(|| (!bytes.is_empty()).then(|| varint(&mut bytes))).collect()
    }

    #[test]
    fn what_is_written_is_read_by_the_numbers_of_its_fields() {
        let written = profile(&seen());
        let strings: Vec<_> =
            messages(&written, 6).into_iter().map(|name| str::from_utf8(name).expect("text")).collect();
        assert_eq!(strings[0], "");
        let function = |id: u64| {
            let all = messages(&written, 5);
            let found = all.into_iter().find(|message| number(message, 1) == id).expect("a function");
            strings[number(found, 2) as usize]
        };
        let location = |id: u64| {
            let all = messages(&written, 4);
            let found = all.into_iter().find(|message| number(message, 1) == id).expect("a location");
            function(number(messages(found, 4)[0], 1))
        };
        let mut samples = vec![];
        for sample in messages(&written, 2) {
            let stack: Vec<_> = packed(messages(sample, 1)[0]).into_iter().map(location).collect();
            samples.push((stack.join(" "), packed(messages(sample, 2)[0])));
        }
        samples.sort();
        let of = |stack: &str, count: u64| (stack.to_owned(), vec![count, count * 10_000_000]);
        assert_eq!(samples, [of("main a", 1), of("rest; <T> b", 4), of("search main a", 5)]);
        let kinds = messages(&written, 1).into_iter().map(|kind| strings[number(kind, 1) as usize]);
        assert_eq!(kinds.collect::<Vec<_>>(), ["samples", "cpu"]);
        assert_eq!((number(&written, 10), number(&written, 12)), (2_000_000_000, 10_000_000));
    }
}
