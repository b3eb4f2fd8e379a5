//! What a word that was only begun may go on with, where the stemmer takes more away than was typed.
//!
//! `anima` begins `animals`, whose stem `anim` does not begin so. Which words there are the dictionary does not tell, only
//! their stems; so the beginning is tried with whatever is left of an ending when some of it was typed. A stem that comes of
//! it is that of a word which begins so, though perhaps of no word of any text.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::Language;

/// Endings that Porter's second stemmer takes away whole or changes, and what they are made of several of.
const ENGLISH: &[&str] = &[
    "abilities",
    "ability",
    "able",
    "ables",
    "ably",
    "alism",
    "alisms",
    "alist",
    "alists",
    "alistic",
    "alities",
    "ality",
    "alization",
    "alizations",
    "alize",
    "alized",
    "alizer",
    "alizers",
    "alizes",
    "alizing",
    "ally",
    "alness",
    "als",
    "ances",
    "ancies",
    "ancy",
    "antly",
    "ants",
    "ated",
    "ately",
    "ateness",
    "ates",
    "ating",
    "ational",
    "ationally",
    "ations",
    "atively",
    "atives",
    "ativeness",
    "ators",
    "edly",
    "edness",
    "eedly",
    "eeds",
    "ements",
    "ences",
    "encies",
    "ency",
    "ently",
    "ents",
    "ers",
    "fulness",
    "fully",
    "ibilities",
    "ibility",
    "ible",
    "ibles",
    "ibly",
    "icalness",
    "ically",
    "icals",
    "icate",
    "icated",
    "icates",
    "icating",
    "ications",
    "icities",
    "icity",
    "icizing",
    "ics",
    "ied",
    "ies",
    "ingly",
    "ings",
    "ionally",
    "ionals",
    "ions",
    "isms",
    "ities",
    "ity",
    "iveness",
    "ively",
    "ives",
    "ivities",
    "ivity",
    "ization",
    "izations",
    "izations",
    "ized",
    "izers",
    "izes",
    "izing",
    "lessly",
    "lessness",
    "ments",
    "nesses",
    "ogical",
    "ogically",
    "ogies",
    "ogists",
    "ogy",
    "ously",
    "ousness",
    "ying",
    "yings",
];

static ENGLISH_TAILS: LazyLock<Vec<&str>> = LazyLock::new(|| tails(ENGLISH));

/// All that can be left of the endings, each once.
fn tails(endings: &[&'static str]) -> Vec<&'static str> {
    let of = |ending: &&'static str| {
        let ending = *ending;
        ending.char_indices().map(move |(at, _)| &ending[at..])
    };
    endings.iter().flat_map(of).collect::<BTreeSet<&str>>().into_iter().collect()
}

/// What may follow the beginning of a word; of the languages in which nobody has listed it, nothing.
pub(super) fn of(language: Language) -> &'static [&'static str] {
    match language {
        Language::English => &ENGLISH_TAILS,
        _ => &[],
    }
}
