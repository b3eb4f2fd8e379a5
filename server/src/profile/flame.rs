//! A flame graph: a bar for each function that was seen, as wide as it was seen often, on the one that called it. What stands
//! beside it stands in order of names, not of time. It needs neither a script nor a style sheet, so that a browser shows it
//! under the policy of our answers.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Seen;

/// Of the picture, in its units.
const WIDTH: f64 = 1_200.0;
/// Of a row.
const ROW: f64 = 17.0;
/// Above all rows.
const HEAD: f64 = 34.0;
/// Of a character, about.
const CHAR: f64 = 6.6;
/// A bar that is narrower is left out.
const WIDTH_MIN: f64 = 0.5;

/// A function where it was called from.
#[derive(Default)]
struct Call {
    count: u64,
    calls: BTreeMap<usize, Call>,
}

impl Call {
    /// How many lie on another at most.
    fn depth(&self) -> usize {
        1 + self.calls.values().map(Self::depth).max().unwrap_or(0)
    }
}

struct Drawing<'a> {
    seen: &'a Seen,
    all: f64,
    rows: usize,
    svg: String,
}

/// The picture.
pub fn graph(seen: &Seen) -> String {
    let mut root = Call { count: seen.count(), ..Call::default() };
    for (stack, count) in &seen.stacks {
        let mut call = &mut root;
        for function in stack {
            call = call.calls.entry(*function).or_default();
            call.count += count;
        }
    }
    let (all, rows) = (root.count.max(1) as f64, root.depth());
    let height = HEAD + rows as f64 * ROW;
    let mut drawing = Drawing { seen, all, rows, svg: String::new() };
    let title = format!(
        "{} times within {:.1} s it was seen what computes, once in {:.1} ms of a processor's time",
        root.count,
        seen.lasted.as_secs_f64(),
        seen.every.as_secs_f64() * 1e3
    );
    // Writing to a string does not fail, here and below.
    let _ = write!(
        drawing.svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"monospace\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"4\" y=\"20\">{title}</text>\n"
    );
    drawing.draw("everything", &root, 0.0, 0);
    drawing.svg + "</svg>\n"
}

impl Drawing<'_> {
    /// Draws a bar and what lies on it. `before` was seen beside it, `below` are the rows under it.
    fn draw(&mut self, name: &str, call: &Call, before: f64, below: usize) {
        let (x, width) = (before / self.all * WIDTH, call.count as f64 / self.all * WIDTH);
        if width < WIDTH_MIN {
            return;
        }
        let y = HEAD + (self.rows - 1 - below) as f64 * ROW;
        let (share, colour) = (100.0 * call.count as f64 / self.all, colour(name));
        let _ = write!(
            self.svg,
            "<g><title>{}: {} times, {share:.1} %</title>\
             <rect x=\"{x:.2}\" y=\"{y}\" width=\"{width:.2}\" height=\"16\" fill=\"{colour}\" stroke=\"#fff\" stroke-width=\"0.5\"/>",
            escaped(name),
            call.count
        );
        let chars = ((width - 6.0) / CHAR) as usize;
        if chars >= 3 {
            let _ = write!(
                self.svg,
                "<text x=\"{:.2}\" y=\"{}\">{}</text>",
                x + 3.0,
                y + 12.0,
                escaped(&cut(name, chars))
            );
        }
        self.svg.push_str("</g>\n");
        let mut calls: Vec<(&usize, &Call)> = call.calls.iter().collect();
        calls.sort_by_key(|(function, _)| &self.seen.names[**function]);
        let mut before = before;
        for (function, call) in calls {
            let name = &self.seen.names[*function];
            self.draw(name, call, before, below + 1);
            before += call.count as f64;
        }
    }
}

/// So many characters of a name, of which the last tell it from others.
fn cut(name: &str, chars: usize) -> String {
    let count = name.chars().count();
    if count <= chars {
        return name.to_owned();
    }
    let last: String = name.chars().skip(count - (chars - 2)).collect();
    format!("..{last}")
}

/// Warm, light, and always the same for a name.
fn colour(name: &str) -> String {
    let mixed =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("hsl({},85%,{}%)", 15 + mixed % 40, 66 + (mixed >> 8) % 12)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::seen;
    use super::*;

    #[test]
    fn a_bar_is_as_wide_as_it_was_seen_often_and_stands_on_its_caller() {
        let svg = graph(&seen());
        let bar = |title: &str| {
            let (_, rest) = svg.split_once(&format!("<title>{title}</title><rect x=\"")).expect(title);
            let number = |name: &str| -> f64 {
                let at =
                    if name == "x" { rest } else { rest.split_once(&format!(" {name}=\"")).expect(name).1 };
                at.split_once('"').and_then(|(text, _)| text.parse().ok()).expect(title)
            };
            (number("x"), number("y"), number("width"))
        };
        let everything = bar("everything: 10 times, 100.0 %");
        assert_eq!((everything.0, everything.2), (0.0, WIDTH));
        let (a, main) = (bar("a: 6 times, 60.0 %"), bar("main: 6 times, 60.0 %"));
        assert_eq!((a.0, a.2, main.2), (0.0, 720.0, 720.0));
        assert_eq!((everything.1 - a.1, a.1 - main.1), (ROW, ROW));
        assert_eq!(bar("search: 5 times, 50.0 %").2, 600.0);
        assert_eq!(bar("&lt;T&gt;: 4 times, 40.0 %").0, 720.0);
        for (opens, closes) in [("<g>", "</g>"), ("<svg ", "</svg>"), ("<text ", "</text>")] {
            assert_eq!(svg.matches(opens).count(), svg.matches(closes).count());
        }
        assert!(!svg.contains("<script") && !svg.contains("style="));
    }

    #[test]
    fn nothing_is_drawn_of_nothing_and_little_of_what_was_seen_rarely() {
        let mut seen = Seen::new(Duration::from_millis(10), Duration::from_secs(1));
        assert_eq!(graph(&seen).matches("<g>").count(), 0);
        seen.add(["often".to_owned()].into_iter(), 1_000_000);
        (0..1_000).for_each(|i| seen.add([format!("rarely {i}")].into_iter(), 1));
        assert_eq!(graph(&seen).matches("<g>").count(), 2);
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!((&*cut("kithdb::search", 8), &*cut("search", 6)), ("..search", "search"));
    }
}
