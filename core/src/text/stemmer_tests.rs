//! Stems as the Snowball project publishes them: every language's stemmer is the algorithm it should be.
//!
//! Source: words and stems that stand side by side in `LANGUAGE/diffs.txt` of snowballstem/snowball-data; the Dutch ones
//! in the sample of `algorithms/kraaij_pohlmann` of snowballstem/snowball-website. English and Italian are in
//! `analysis_tests.rs`.

use super::*;

fn check(language: Language, pairs: &[(&str, &str)]) {
    let stemmer = language.stemmer().expect("a language with stems");
    for (word, stem) in pairs {
        assert_eq!(stemmer.stem(word), *stem, "{word}");
    }
}

#[test]
fn german_stems_are_those_of_snowball() {
    check(Language::German, &GERMAN);
}

const GERMAN: [(&str, &str); 32] = [
    ("ausgegeben", "ausgegeb"),
    ("ausgelassenheit", "ausgelass"),
    ("ausgekl\u{fc}gelt", "ausgeklugelt"),
    ("ausgel\u{f6}scht", "ausgeloscht"),
    ("ausgesto\u{df}en", "ausgestoss"),
    ("ausgestossen", "ausgestoss"),
    ("ausge\u{fc}bt", "ausgeubt"),
    ("ausgiebigkeit", "ausgieb"),
    ("ausgewandert", "ausgewandert"),
    ("aushielt", "aushielt"),
    ("auskommens", "auskomm"),
    ("ausl\u{e4}ndischen", "ausland"),
    ("ausl\u{e4}uft", "auslauft"),
    ("ausl\u{f6}schung", "auslosch"),
    ("ausnahmsweise", "ausnahmsweis"),
    ("ausr\u{fc}stungsgegenst\u{e4}nden", "ausrustungsgegenstand"),
    ("auss\u{e4}tzigen", "aussatz"),
    ("ausschlie\u{df}lich", "ausschliess"),
    ("ausschliesslich", "ausschliess"),
    ("au\u{df}erdem", "ausserd"),
    ("\u{e4}u\u{df}ere", "auss"),
    ("\u{e4}u\u{df}erlichkeiten", "ausser"),
    ("aussergew\u{f6}hnliche", "aussergewohn"),
    ("au\u{df}ergew\u{f6}hnliche", "aussergewohn"),
    ("aussichtslos", "aussichtslos"),
    ("ausspr\u{fc}chen", "ausspruch"),
    ("ausstellung", "ausstell"),
    ("austrinken", "austrink"),
    ("auswanderung", "auswander"),
    ("auswendigere", "auswend"),
    ("aus\u{fc}bung", "ausub"),
    ("ausstr\u{f6}men", "ausstrom"),
];

#[test]
fn french_stems_are_those_of_snowball() {
    check(Language::French, &FRENCH);
}

const FRENCH: [(&str, &str); 32] = [
    ("demeur\u{e8}rent", "demeur"),
    ("demoiselles", "demoisel"),
    ("d\u{e9}molissent", "d\u{e9}mol"),
    ("d\u{e9}monstration", "d\u{e9}monstr"),
    ("d\u{e9}nonciateur", "d\u{e9}nonci"),
    ("d\u{e9}nonciations", "d\u{e9}nonci"),
    ("d\u{e9}no\u{fb}ment", "d\u{e9}no\u{fb}"),
    ("densit\u{e9}", "densit"),
    ("d\u{e9}part", "d\u{e9}part"),
    ("d\u{e9}p\u{ea}chez", "d\u{e9}p\u{ea}ch"),
    ("d\u{e9}pendance", "d\u{e9}pend"),
    ("d\u{e9}pens\u{e9}es", "d\u{e9}pens"),
    ("d\u{e9}pla\u{ee}t", "d\u{e9}pla\u{ee}t"),
    ("d\u{e9}ploierais", "d\u{e9}ploi"),
    ("d\u{e9}ployaient", "d\u{e9}ploi"),
    ("d\u{e9}plorable", "d\u{e9}plor"),
    ("d\u{e9}poss\u{e9}d\u{e9}", "d\u{e9}possed"),
    ("d\u{e9}p\u{f4}ts", "d\u{e9}p\u{f4}t"),
    ("derni\u{e8}res", "derni"),
    ("d\u{e9}sagr\u{e9}ablement", "d\u{e9}sagr\u{e9}"),
    ("d\u{e9}sappointement", "d\u{e9}sappoint"),
    ("d\u{e9}sesp\u{e9}rants", "d\u{e9}sesper"),
    ("d\u{e9}shonneur", "d\u{e9}shonneur"),
    ("d\u{e9}sint\u{e9}r\u{ea}t", "d\u{e9}sint\u{e9}r\u{ea}t"),
    ("d\u{e9}sob\u{e9}issante", "d\u{e9}sob\u{e9}iss"),
    ("d\u{e9}soeuvrement", "d\u{e9}soeuvr"),
    ("dess\u{e9}ch\u{e9}e", "dessech"),
    ("despotiquement", "despot"),
    ("destituerai", "destitu"),
    ("d\u{e9}tachement", "d\u{e9}tach"),
    ("d\u{e9}termination", "d\u{e9}termin"),
    ("d\u{e9}testables", "d\u{e9}test"),
];

#[test]
fn spanish_stems_are_those_of_snowball() {
    check(Language::Spanish, &SPANISH);
}

const SPANISH: [(&str, &str); 32] = [
    ("cobrar\u{e1}n", "cobr"),
    ("coca\u{ed}na", "cocain"),
    ("cocain\u{f3}mano", "cocainoman"),
    ("c\u{f3}digos", "codig"),
    ("coherencia", "coherent"),
    ("cohetitos", "cohetit"),
    ("coincidencias", "coincident"),
    ("coincidentemente", "coincident"),
    ("colaboraci\u{f3}n", "colabor"),
    ("colaboradores", "colabor"),
    ("colaborar\u{ed}a", "colabor"),
    ("colch\u{f3}n", "colchon"),
    ("coleccionismo", "coleccion"),
    ("colectividad", "colect"),
    ("c\u{f3}lera", "coler"),
    ("coloc\u{e1}ndose", "coloc"),
    ("colocarnos", "coloc"),
    ("colombiano", "colombian"),
    ("color\u{ed}sticos", "colorist"),
    ("combatir\u{e1}n", "combat"),
    ("comedi\u{f3}grafo", "comediograf"),
    ("coment\u{e1}bamos", "coment"),
    ("comenz\u{f3}", "comenz"),
    ("comercializaci\u{f3}n", "comercializ"),
    ("comisi\u{f3}n", "comision"),
    ("comod\u{ed}simos", "comodis"),
    ("compa\u{f1}eros", "compa\u{f1}er"),
    ("compa\u{f1}\u{ed}a", "compa\u{f1}"),
    ("compar\u{e1}ndolas", "compar"),
    ("comparativamente", "compar"),
    ("comp\u{e1}s", "compas"),
    ("competentes", "competent"),
];

#[test]
fn portuguese_stems_are_those_of_snowball() {
    check(Language::Portuguese, &PORTUGUESE);
}

const PORTUGUESE: [(&str, &str); 32] = [
    ("celebra\u{e7}\u{e3}o", "celebr"),
    ("celebra\u{e7}\u{f5}es", "celebr"),
    ("cebola", "cebol"),
    ("c\u{e9}dulas", "c\u{e9}dul"),
    ("cegamente", "ceg"),
    ("c\u{e9}lebres", "c\u{e9}lebr"),
    ("celebridades", "celebr"),
    ("c\u{e9}lulas", "c\u{e9}lul"),
    ("cemit\u{e9}rios", "cemit\u{e9}ri"),
    ("cent\u{ed}metros", "cent\u{ed}metr"),
    ("centraliza\u{e7}\u{e3}o", "centraliz"),
    ("cer\u{e2}mica", "cer\u{e2}m"),
    ("c\u{e9}rebro", "c\u{e9}rebr"),
    ("cerim\u{f4}nias", "cerim\u{f4}n"),
    ("certid\u{e3}o", "certid\u{e3}"),
    ("certifica\u{e7}\u{e3}o", "certific"),
    ("cervejinha", "cervejinh"),
    ("ces\u{e1}reas", "ces\u{e1}r"),
    ("c\u{e9}ticos", "c\u{e9}tic"),
    ("c\u{e9}u", "c\u{e9}u"),
    ("ch\u{e1}caras", "ch\u{e1}c"),
    ("chamaram", "cham"),
    ("chamativas", "chamat"),
    ("chap\u{e9}us", "chap\u{e9}us"),
    ("charlat\u{e3}es", "charlat\u{e3}"),
    ("charlat\u{e3}o", "charlat\u{e3}"),
    ("chateado", "chat"),
    ("chegaremos", "cheg"),
    ("cheg\u{e1}vamos", "cheg"),
    ("chin\u{ea}s", "chin\u{ea}s"),
    ("chineses", "chines"),
    ("chocolates", "chocolat"),
];

#[test]
fn dutch_stems_are_those_of_snowball() {
    check(Language::Dutch, &DUTCH);
}

const DUTCH: [(&str, &str); 32] = [
    ("lichamelijkheden", "lichamelijk"),
    ("lichamen", "lichaam"),
    ("lichtdoorlatende", "lichtdoorlaat"),
    ("lichtende", "licht"),
    ("lichtenvoorde", "lichtenvoor"),
    ("lichters", "lichter"),
    ("lichtgevoeligheid", "lichtvoel"),
    ("lichtgewicht", "lichtwicht"),
    ("lichtintensiteit", "lichtintens"),
    ("lichtjes", "licht"),
    ("lichtkringen", "lichtkr"),
    ("lichtregelsystemen", "lichtrelsysteem"),
    ("lichtstromende", "lichtstroom"),
    ("lichttoetreding", "lichttoetreed"),
    ("lichtverontreinigde", "lichtverontrein"),
    ("lichtzinnige", "lichtzin"),
    ("lidmaatschap", "lidmaatschap"),
    ("lidstaten", "lidstaat"),
    ("lidvereniging", "lidvereen"),
    ("opgingen", "opg"),
    ("opglanzingen", "opglans"),
    ("opglimlachten", "opglimlacht"),
    ("opgraven", "opgraaf"),
    ("opgrijnzen", "opgrijns"),
    ("opgroeiende", "opgroeiend"),
    ("ophaalkosten", "ophaalkost"),
    ("ophaalsystemen", "ophaalsysteem"),
    ("ophalers", "ophaler"),
    ("opheffing", "ophef"),
    ("opheldering", "opheldeer"),
    ("ophieven", "ophief"),
    ("ophoping", "ophoop"),
];

#[test]
fn swedish_stems_are_those_of_snowball() {
    check(Language::Swedish, &SWEDISH);
}

const SWEDISH: [(&str, &str); 32] = [
    ("farv\u{e4}l", "farv\u{e4}l"),
    ("fasanerna", "fasan"),
    ("fasansfulle", "fasansfull"),
    ("fasligen", "fas"),
    ("fasters", "faster"),
    ("fasth\u{e5}lla", "fasth\u{e5}ll"),
    ("fastnaglad", "fastnagl"),
    ("fattigdomens", "fattigdom"),
    ("fattigaste", "fatt"),
    ("fattningsf\u{f6}rm\u{e5}ga", "fattningsf\u{f6}rm\u{e5}g"),
    ("feberaktiga", "feberakt"),
    ("febertermometern", "febertermomet"),
    ("felmodellerad", "felmodeller"),
    ("fisken", "fisk"),
    ("fenomenens", "fenomen"),
    ("festligheten", "fest"),
    ("fickpengar", "fickpeng"),
    ("fickorna", "fick"),
    ("fientlighet", "fient"),
    ("figurerna", "figur"),
    ("filosofiska", "filosofisk"),
    ("filosoferna", "filosof"),
    ("fingerspetsarna", "fingerspets"),
    ("fingrarna", "fingr"),
    ("finl\u{e4}ndsk", "finl\u{e4}ndsk"),
    ("fiskredskapen", "fiskredskap"),
    ("fj\u{e4}rdedelar", "fj\u{e4}rdedel"),
    ("fj\u{e4}drar", "fj\u{e4}dr"),
    ("flickornas", "flick"),
    ("flickors", "flickor"),
    ("flickskolan", "flickskolan"),
    ("flitigare", "flit"),
];

#[test]
fn russian_stems_are_those_of_snowball() {
    check(Language::Russian, &RUSSIAN);
}

const RUSSIAN: [(&str, &str); 32] = [
    ("\u{432}\u{44b}\u{431}\u{438}\u{440}\u{430}\u{44f}", "\u{432}\u{44b}\u{431}\u{438}\u{440}"),
    (
        "\u{432}\u{44b}\u{431}\u{43e}\u{440}\u{433}\u{441}\u{43a}\u{443}\u{44e}",
        "\u{432}\u{44b}\u{431}\u{43e}\u{440}\u{433}\u{441}\u{43a}",
    ),
    (
        "\u{432}\u{44b}\u{431}\u{440}\u{430}\u{442}\u{44c}\u{441}\u{44f}",
        "\u{432}\u{44b}\u{431}\u{440}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{431}\u{440}\u{438}\u{442}\u{44b}\u{43c}\u{438}",
        "\u{432}\u{44b}\u{431}\u{440}\u{438}\u{442}",
    ),
    (
        "\u{432}\u{44b}\u{431}\u{440}\u{43e}\u{441}\u{44c}\u{442}\u{435}",
        "\u{432}\u{44b}\u{431}\u{440}\u{43e}\u{441}\u{44c}\u{442}",
    ),
    (
        "\u{432}\u{44b}\u{432}\u{435}\u{434}\u{435}\u{43d}\u{438}\u{44f}",
        "\u{432}\u{44b}\u{432}\u{435}\u{434}\u{435}\u{43d}",
    ),
    (
        "\u{432}\u{44b}\u{432}\u{435}\u{437}\u{435}\u{43d}\u{43d}\u{43e}\u{43c}\u{443}",
        "\u{432}\u{44b}\u{432}\u{435}\u{437}\u{435}\u{43d}",
    ),
    (
        "\u{432}\u{44b}\u{432}\u{435}\u{440}\u{43d}\u{443}\u{442}\u{44c}\u{441}\u{44f}",
        "\u{432}\u{44b}\u{432}\u{435}\u{440}\u{43d}\u{443}\u{442}",
    ),
    (
        "\u{432}\u{44b}\u{432}\u{435}\u{441}\u{43a}\u{430}\u{43c}",
        "\u{432}\u{44b}\u{432}\u{435}\u{441}\u{43a}",
    ),
    (
        "\u{432}\u{44b}\u{432}\u{435}\u{442}\u{440}\u{438}\u{432}\u{448}\u{435}\u{433}\u{43e}\u{441}\u{44f}",
        "\u{432}\u{44b}\u{432}\u{435}\u{442}\u{440}",
    ),
    ("\u{432}\u{44b}\u{432}\u{43e}\u{434}\u{438}\u{43b}\u{438}", "\u{432}\u{44b}\u{432}\u{43e}\u{434}"),
    (
        "\u{432}\u{44b}\u{433}\u{43b}\u{44f}\u{434}\u{44b}\u{432}\u{430}\u{432}\u{448}\u{443}\u{44e}",
        "\u{432}\u{44b}\u{433}\u{43b}\u{44f}\u{434}\u{44b}\u{432}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{433}\u{43d}\u{443}\u{442}\u{43e}\u{44e}",
        "\u{432}\u{44b}\u{433}\u{43d}\u{443}\u{442}",
    ),
    (
        "\u{432}\u{44b}\u{433}\u{43e}\u{432}\u{430}\u{440}\u{438}\u{432}\u{430}\u{43b}\u{43e}\u{441}\u{44c}",
        "\u{432}\u{44b}\u{433}\u{43e}\u{432}\u{430}\u{440}\u{438}\u{432}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{433}\u{43e}\u{434}\u{43d}\u{43e}\u{435}",
        "\u{432}\u{44b}\u{433}\u{43e}\u{434}\u{43d}",
    ),
    (
        "\u{432}\u{44b}\u{434}\u{430}\u{432}\u{43b}\u{438}\u{432}\u{430}\u{43b}\u{430}\u{441}\u{44c}",
        "\u{432}\u{44b}\u{434}\u{430}\u{432}\u{43b}\u{438}\u{432}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{434}\u{430}\u{44e}\u{449}\u{435}\u{44e}\u{441}\u{44f}",
        "\u{432}\u{44b}\u{434}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{434}\u{435}\u{440}\u{436}\u{430}\u{442}\u{44c}",
        "\u{432}\u{44b}\u{434}\u{435}\u{440}\u{436}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{434}\u{440}\u{435}\u{441}\u{441}\u{438}\u{440}\u{43e}\u{432}\u{430}\u{43d}\u{43d}\u{430}\u{44f}",
        "\u{432}\u{44b}\u{434}\u{440}\u{435}\u{441}\u{441}\u{438}\u{440}\u{43e}\u{432}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{434}\u{443}\u{43c}\u{44b}\u{432}\u{430}\u{44e}",
        "\u{432}\u{44b}\u{434}\u{443}\u{43c}\u{44b}\u{432}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{435}\u{437}\u{434}\u{43d}\u{44b}\u{445}",
        "\u{432}\u{44b}\u{435}\u{437}\u{434}\u{43d}",
    ),
    (
        "\u{432}\u{44b}\u{437}\u{434}\u{43e}\u{440}\u{430}\u{432}\u{43b}\u{438}\u{432}\u{430}\u{442}\u{44c}",
        "\u{432}\u{44b}\u{437}\u{434}\u{43e}\u{440}\u{430}\u{432}\u{43b}\u{438}\u{432}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{437}\u{434}\u{43e}\u{440}\u{43e}\u{432}\u{43b}\u{435}\u{43d}\u{438}\u{435}",
        "\u{432}\u{44b}\u{437}\u{434}\u{43e}\u{440}\u{43e}\u{432}\u{43b}\u{435}\u{43d}",
    ),
    (
        "\u{432}\u{44b}\u{437}\u{44b}\u{432}\u{430}\u{44e}\u{449}\u{435}\u{435}",
        "\u{432}\u{44b}\u{437}\u{44b}\u{432}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{439}\u{434}\u{435}\u{43c}\u{442}\u{435}",
        "\u{432}\u{44b}\u{439}\u{434}\u{435}\u{43c}\u{442}",
    ),
    (
        "\u{432}\u{44b}\u{43a}\u{430}\u{437}\u{44b}\u{432}\u{430}\u{43b}\u{438}\u{441}\u{44c}",
        "\u{432}\u{44b}\u{43a}\u{430}\u{437}\u{44b}\u{432}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{43a}\u{43e}\u{43b}\u{430}\u{447}\u{438}\u{432}\u{430}\u{442}\u{44c}",
        "\u{432}\u{44b}\u{43a}\u{43e}\u{43b}\u{430}\u{447}\u{438}\u{432}\u{430}",
    ),
    (
        "\u{432}\u{44b}\u{43a}\u{443}\u{43f}\u{43b}\u{435}\u{43d}\u{43d}\u{44b}\u{435}",
        "\u{432}\u{44b}\u{43a}\u{443}\u{43f}\u{43b}\u{435}\u{43d}",
    ),
    (
        "\u{432}\u{44b}\u{43b}\u{435}\u{442}\u{435}\u{43b}\u{438}",
        "\u{432}\u{44b}\u{43b}\u{435}\u{442}\u{435}\u{43b}",
    ),
    (
        "\u{432}\u{44b}\u{43d}\u{43e}\u{441}\u{438}\u{43c}\u{430}\u{44f}",
        "\u{432}\u{44b}\u{43d}\u{43e}\u{441}\u{438}\u{43c}",
    ),
    (
        "\u{432}\u{44b}\u{43d}\u{443}\u{436}\u{434}\u{435}\u{43d}\u{43d}\u{43e}\u{435}",
        "\u{432}\u{44b}\u{43d}\u{443}\u{436}\u{434}\u{435}\u{43d}",
    ),
    (
        "\u{432}\u{44b}\u{43f}\u{430}\u{447}\u{43a}\u{430}\u{435}\u{448}\u{44c}",
        "\u{432}\u{44b}\u{43f}\u{430}\u{447}\u{43a}\u{430}",
    ),
];
