//! What becomes of texts: terms by language, scripts without spaces, and where terms stand.

use unicode_normalization::UnicodeNormalization;

use super::*;
use proptest::prelude::*;

fn terms(language: Language, text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    Analyzer::new(language).analyse(text, |term| terms.push(term.to_owned()));
    terms
}

#[test]
fn english_stems_are_those_of_the_snowball_vocabulary() {
    for (word, stem) in [
        ("consign", "consign"),
        ("consigned", "consign"),
        ("consigning", "consign"),
        ("consignment", "consign"),
        ("consist", "consist"),
        ("consistency", "consist"),
        ("consolation", "consol"),
        ("conspicuously", "conspicu"),
        ("knack", "knack"),
        ("knackeries", "knackeri"),
        ("knightly", "knight"),
        ("knives", "knive"),
        ("knowledge", "knowledg"),
        ("caresses", "caress"),
        ("ponies", "poni"),
        ("ties", "tie"),
        ("cries", "cri"),
        ("gas", "gas"),
        ("gaps", "gap"),
        ("kiwis", "kiwi"),
        ("hopping", "hop"),
        ("hoping", "hope"),
        ("luxuriating", "luxuri"),
        ("generate", "generat"),
        ("general", "general"),
        ("communism", "communism"),
        ("arsenal", "arsenal"),
        ("skies", "sky"),
        ("dying", "die"),
        ("news", "news"),
        ("proceed", "proceed"),
        ("relational", "relat"),
        ("us", "us"),
        ("running", "run"),
        ("happily", "happili"),
    ] {
        assert_eq!(terms(Language::English, word), [stem], "{word}");
    }
}

#[test]
fn italian_stems_are_those_of_the_snowball_vocabulary() {
    for (word, stem) in [
        ("abbandonata", "abbandon"),
        ("abbandonate", "abbandon"),
        ("abbandonati", "abbandon"),
        ("abbandonato", "abbandon"),
        ("abbandonava", "abbandon"),
        ("abbandoner\u{e0}", "abbandon"),
        ("abbandono", "abband"),
        ("pronto", "pront"),
        ("pronuncer\u{e0}", "pronunc"),
        ("pronuncia", "pronunc"),
        ("pronunciation", "pronunciation"),
        ("propaga", "propag"),
        ("propagamento", "propag"),
        ("proporzionale", "proporzional"),
        ("gatti", "gatt"),
        ("gatto", "gatt"),
        ("bellissimo", "bellissim"),
        ("citt\u{e0}", "citt"),
    ] {
        assert_eq!(terms(Language::Italian, word), [stem], "{word}");
    }
}

#[test]
fn stop_words_go_and_articles_are_cut_off() {
    assert_eq!(terms(Language::English, "To be or not to be, THAT is the question"), ["question"]);
    assert_eq!(terms(Language::None, "To be"), ["to", "be"]);
    assert_eq!(terms(Language::Italian, "L\u{2019}acqua dell'isola \u{e8} per tutti"), ["acqua", "isol"]);
    assert_eq!(terms(Language::English, "the dog\u{2019}s bowl"), ["dog", "bowl"]);
}

#[test]
fn a_word_holds_a_letter_or_a_digit() {
    assert_eq!(terms(Language::None, "-- C3PO, 3.14 & (snake_case)!"), ["c3po", "3.14", "snake_case"]);
    assert_eq!(terms(Language::None, "\u{fb01}ne \u{ff21}\u{ff22} \u{212a}"), ["fine", "ab", "k"]);
    assert!(terms(Language::English, " \u{1f600} ... ").is_empty());
}

#[test]
fn composed_and_decomposed_letters_give_the_same_terms() {
    for text in ["citt\u{e0} perch\u{e9} caff\u{e8}", "na\u{ef}ve caf\u{e9}s \u{c5}ngstr\u{f6}m"] {
        let (nfc, nfd) = (text.nfc().collect::<String>(), text.nfd().collect::<String>());
        assert_ne!(nfc, nfd);
        for language in Language::ALL {
            assert_eq!(terms(language, &nfc), terms(language, &nfd));
        }
    }
}

type Standing = (String, u32, usize, usize);

fn tokens(language: Language, text: &str) -> Vec<Standing> {
    let mut tokens = Vec::new();
    Analyzer::new(language).tokens(text, |t| tokens.push((t.term.to_owned(), t.position, t.start, t.end)));
    tokens
}

/// Terms, positions and the pieces of the text they stand for.
fn pieces(language: Language, text: &str) -> Vec<(String, u32, &str)> {
    tokens(language, text).into_iter().map(|(term, at, start, end)| (term, at, &text[start..end])).collect()
}

fn piece<'a>(term: &str, position: u32, of: &'a str) -> (String, u32, &'a str) {
    (term.to_owned(), position, of)
}

#[test]
fn german_words_meet_however_their_umlauts_are_written() {
    for text in ["M\u{fc}ller", "MUELLER", "muller"] {
        assert_eq!(terms(Language::German, text), ["mull"], "{text}");
    }
    for text in ["Stra\u{df}e", "STRASSE", "Stra\u{df}en"] {
        assert_eq!(terms(Language::German, text), ["strass"], "{text}");
    }
    assert_eq!(terms(Language::German, "das Caf\u{e9} und die H\u{e4}user"), ["caf", "haus"]);
    assert_eq!(terms(Language::German, "f\u{fc}r \u{fc}ber k\u{f6}nnen"), [""; 0]);
}

#[test]
fn french_elisions_ligatures_and_accents_go() {
    assert_eq!(
        terms(Language::French, "L\u{2019}\u{e9}l\u{e8}ve qu'il vu jusqu'au soir"),
        ["elev", "vu", "soir"]
    );
    assert_eq!(terms(Language::French, "r\u{e9}sum\u{e9}"), terms(Language::French, "resume"));
    assert_eq!(terms(Language::French, "c\u{153}ur \u{153}uvres"), terms(Language::French, "coeur oeuvres"));
    assert_eq!(terms(Language::French, "aujourd'hui"), ["aujourd'hui"]);
    assert_eq!(terms(Language::French, "\u{e0} m\u{ea}me \u{e9}taient"), [""; 0]);
}

#[test]
fn spanish_and_portuguese_accents_go_but_spanish_n_with_tilde_stays() {
    assert_eq!(terms(Language::Spanish, "canciones canci\u{f3}n"), ["cancion", "cancion"]);
    assert_eq!(terms(Language::Spanish, "a\u{f1}o ano"), ["a\u{f1}o", "ano"]);
    assert_eq!(terms(Language::Spanish, "el ping\u{fc}ino tambi\u{e9}n"), ["pinguin"]);
    assert_eq!(terms(Language::Portuguese, "cora\u{e7}\u{e3}o"), terms(Language::Portuguese, "coracao"));
    assert_eq!(terms(Language::Portuguese, "n\u{e3}o a a\u{e7}\u{fa}car"), ["acuc"]);
}

#[test]
fn dutch_accents_go_and_swedish_letters_stay() {
    assert_eq!(terms(Language::Dutch, "de caf\u{e9}s"), terms(Language::Dutch, "het cafes"));
    assert_eq!(terms(Language::Dutch, "De lichamen"), ["lichaam"]);
    assert_eq!(terms(Language::Swedish, "och fj\u{e4}rilar p\u{e5} \u{f6}n"), ["fj\u{e4}ril", "\u{f6}n"]);
}

#[test]
fn russian_yo_is_ye() {
    let (yo, ye) = ("\u{43f}\u{43e}\u{43b}\u{451}\u{442}", "\u{43f}\u{43e}\u{43b}\u{435}\u{442}");
    assert_eq!(terms(Language::Russian, yo), terms(Language::Russian, ye));
    // "still" is a stop word in both spellings, "and" in capitals.
    assert_eq!(terms(Language::Russian, "\u{435}\u{449}\u{451} \u{435}\u{449}\u{435} \u{418}"), [""; 0]);
    assert_eq!(
        terms(Language::Russian, "\u{412}\u{44b}\u{431}\u{43e}\u{440}\u{44b}"),
        ["\u{432}\u{44b}\u{431}\u{43e}\u{440}"]
    );
}

#[test]
fn scripts_without_spaces_become_pairs_in_every_language() {
    let text =
        "\u{6771}\u{4eac}\u{90fd}\u{306b}\u{4f4f}\u{3080}, \u{d55c}\u{ad6d}\u{c5b4} \u{66f8} Rust\u{306f}";
    let pairs = [
        "\u{6771}\u{4eac}",
        "\u{4eac}\u{90fd}",
        "\u{90fd}\u{306b}",
        "\u{306b}\u{4f4f}",
        "\u{4f4f}\u{3080}",
        "\u{d55c}\u{ad6d}",
        "\u{ad6d}\u{c5b4}",
        "\u{66f8}",
        "rust",
        "\u{306f}",
    ];
    for language in Language::ALL {
        assert_eq!(terms(language, text), pairs, "{language:?}");
    }
    let half_width = "\u{ff76}\u{ff9e}\u{ff97}\u{ff7d}";
    assert_eq!(terms(Language::None, half_width), ["\u{30ac}\u{30e9}", "\u{30e9}\u{30b9}"]);
    assert_eq!(terms(Language::None, "\u{7b2c}3\u{56de}"), ["\u{7b2c}", "3", "\u{56de}"]);
}

#[test]
fn tokens_tell_where_terms_stand_in_the_text_as_given() {
    assert_eq!(
        pieces(Language::English, "The QUICK dog\u{2019}s na\u{ef}ve"),
        [piece("quick", 1, "QUICK"), piece("dog", 2, "dog\u{2019}s"), piece("na\u{ef}v", 3, "na\u{ef}ve")]
    );
    assert_eq!(
        pieces(Language::French, "L\u{2019}e\u{301}le\u{300}ve"),
        [piece("elev", 0, "e\u{301}le\u{300}ve")]
    );
    // A ligature, a fraction and a unit become several letters, a Turkish capital longer ones.
    assert_eq!(
        pieces(Language::None, "\u{fb01}ne 2\u{bd} \u{2101} \u{130}x"),
        [
            piece("fine", 0, "\u{fb01}ne"),
            piece("21\u{2044}2", 1, "2\u{bd}"),
            piece("a", 2, "\u{2101}"),
            piece("s", 3, "\u{2101}"),
            piece("i\u{307}x", 4, "\u{130}x")
        ]
    );
    let kana = "a\u{ff76}\u{ff9e}\u{ff97}\u{ff7d}";
    assert_eq!(
        pieces(Language::None, kana),
        [
            piece("a", 0, "a"),
            piece("\u{30ac}\u{30e9}", 1, &kana[1..10]),
            piece("\u{30e9}\u{30b9}", 2, &kana[7..13])
        ]
    );
}

#[test]
fn positions_are_those_of_tokens() {
    let mut found = Vec::new();
    Analyzer::new(Language::English)
        .positions("to be or a bee", |term, at| found.push((term.to_owned(), at)));
    assert_eq!(found, [("bee".to_owned(), 4)]);
}

proptest! {
    #[test]
    fn terms_of_any_text_are_short_and_never_empty(text in "\\PC{0,200}", long in "[a-z\u{e0}-\u{f0}]{60,200}") {
        for language in Language::ALL {
            for term in terms(language, &text).iter().chain(&terms(language, &long)) {
                prop_assert!(!term.is_empty() && term.len() <= TERM_BYTES_MAX);
            }
        }
    }

    #[test]
    fn tokens_have_the_terms_of_analysis_and_stand_within_the_text(
        text in "(\\PC|[a-z '\u{2019}.\u{300}\u{327}\u{3a3}\u{130}\u{df}\u{fb03}\u{1100}\u{1161}\u{11a8}\u{ac00}\u{ff76}\u{ff9e}\u{6771}\u{e0100}]){0,60}",
    ) {
        for language in Language::ALL {
            let tokens = tokens(language, &text);
            let found: Vec<&str> = tokens.iter().map(|(term, ..)| term.as_str()).collect();
            prop_assert_eq!(found, terms(language, &text));
            for (_, _, start, end) in &tokens {
                prop_assert!(start < end && text.get(*start..*end).is_some());
            }
            for pair in tokens.windows(2) {
                prop_assert!(pair[0].1 < pair[1].1 && pair[0].2 <= pair[1].2 && pair[0].3 <= pair[1].3);
            }
            prop_assert_eq!(Offsets::new(&text).original(0..fold(&text).len()), 0..text.len());
        }
    }

    #[test]
    fn the_piece_of_a_token_has_its_term(
        text in "([A-Za-z\u{c0}-\u{ff}\u{301}\u{308}\u{fb01}\u{ff21}\u{bd}\u{6771}\u{30ac}\u{ff76}\u{ff9e}\u{ac01}]{1,6}[ ,.'\u{2019}-]){0,12}",
    ) {
        for language in [Language::None, Language::English, Language::German] {
            for (term, _, start, end) in tokens(language, &text) {
                let again = terms(language, &text[start..end]);
                prop_assert!(again.contains(&term), "{:?} is not in {:?} of {:?}", term, again, &text[start..end]);
            }
        }
    }
}

#[test]
fn every_beginning_of_an_english_word_leads_to_its_stem() {
    let analyzer = Analyzer::new(Language::English);
    for word in [
        "animals",
        "animation",
        "relational",
        "conditionally",
        "happiness",
        "sensibilities",
        "vietnamization",
        "conformably",
        "radically",
        "digitizer",
        "operators",
        "feudalism",
        "decisiveness",
        "hopefulness",
        "callousness",
        "formalities",
        "electricity",
        "electrical",
        "goodness",
        "revivals",
        "allowances",
        "inferences",
        "airliners",
        "gyroscopic",
        "adjustable",
        "defensibly",
        "irritants",
        "replacement",
        "adjustments",
        "dependently",
        "adoption",
        "homologous",
        "communism",
        "activates",
        "angularity",
        "effective",
        "bowdlerizing",
        "philologists",
        "analogically",
        "hastily",
        "ponies",
        "dying",
        "ratings",
        "agreed",
        "luxuriated",
        "carelessness",
        "justifications",
        "electrification",
        "institutionally",
        "sympathizers",
    ] {
        let stem = terms(Language::English, word).remove(0);
        for begun in (1..=word.len()).map(|len| &word[..len]) {
            let found = stem.starts_with(begun)
                || terms(Language::English, begun) == [&*stem]
                || analyzer.stems_of_longer(begun).contains(&stem);
            assert!(found, "{begun} begins {word}, whose stem is {stem}");
        }
    }
    assert_eq!(analyzer.stems_of_longer("anima"), ["anim"]);
    assert!(analyzer.stems_of_longer("univ").is_empty());
    assert!(Analyzer::new(Language::German).stems_of_longer("h\u{e4}use").is_empty());
}
