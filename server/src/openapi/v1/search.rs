//! Searches, one and many.

use kithdb::base::limits::{FACETS_MAX, SEARCHES_MAX, SORT_KEYS_MAX};
use serde_json::json;

use super::documents::vector;
use crate::openapi::operation::{Errors, Group, post};
use crate::openapi::schema::{
    Fields, Shape, any, asked, choice, count, count_in, either, flag, free, list, list_to, map, named,
    named_for, number, number_in, or_null, text, told,
};

/// What a search may fail with.
const SEARCHING: [&str; 5] =
    ["dimension_mismatch", "invalid_vector", "invalid_filter", "history_gone", "cancelled"];

pub fn group() -> Group {
    let one = "/v1/collections/{name}/search";
    let searches = asked("").must(
        "searches",
        list_to("They are answered in one state of the collection.", SEARCHES_MAX, named("Search")),
    );
    let results = told("").must("results", list("In the order of the searches.", named("Found")));
    Group {
        name: "search",
        about: "The nearest vectors, the best words, both, or what a filter accepts.",
        errors: Errors::Problem,
        operations: vec![
            post(one, "search", "Search a collection")
                .packed_body(named("Search"))
                .like(json!({"vector": [1, 0.2, 0.2], "text": "alone in space", "filter": "year >= 2000", "k": 2}))
                .answers_packed(named("Found"))
                .fails(&SEARCHING),
            post(format!("{one}/batch"), "searchMany", "Many searches at once, in one state")
                .packed_body(searches)
                .like(json!({"searches": [{"text": "space"}, {"text": "house", "k": 1}]}))
                .answers_packed(results)
                .fails(&SEARCHING),
        ],
    }
}

fn search() -> Fields {
    let what = asked(
        "A search. Without vector, text and filter it finds everything, in the order in which it was stored.",
    )
    .may("vector", vector("The vector part."))
    .may("text", text("The words part, and the vector part when the collection has an embedder."))
    .may("plain", flag("Take the text as it stands, without signs, fields and quotes."))
    .may("fuzzy", flag("Look for words with a typo, too."))
    .may("filter", named_for("Filter", "What may be found."))
    .may("graph_filter", graph_filter())
    .may("expand", expand())
    .may("as_of", named_for("Time", "What was there then."));
    let how = what
        .may("k", count_in("How many results: 10 by default.", 1, 10_000))
        .may("offset", count("How many of the best to leave out."))
        .may("alpha", number_in("Share of the vector part: 0.5 by default.", 0.0, 1.0))
        .may("rrf_k", count("Fuse by reciprocal rank with this k instead of by alpha."))
        .may("candidates", count("How many of the best of each list are fused, grouped or sorted."))
        .may("min_score", number("Leave out what scores less."))
        .may("decay", named_for("DecayChoice", "What is old counts less; left out, as the collection says."))
        .may("ef", count("How widely an index searches."))
        .may("rerank", count("How many candidates of an index are compared with their stored vectors."))
        .may("patience", count("End once the best candidates have stayed the same for so many steps."))
        .may("exact", flag("Compare with every vector."));
    how.may("group_by", group_by())
        .may_not_null(
            "sort",
            list_to("The order of the results; left out, the best first.", SORT_KEYS_MAX, sort()),
        )
        .may_not_null(
            "facets",
            list_to("Fields whose values are counted in all that can be found.", FACETS_MAX, facet()),
        )
        .may("highlight", highlight())
        .may_not_null(
            "include_relations",
            list("What results come with, by paths such as parent.child.", text("")),
        )
        .may("hydrate_relations", flag("Whether that comes with its documents."))
        .may("with_vector", flag("Return vectors too."))
        .may("explain", flag("Say of each result why it came."))
        .may("trace", flag("Tell how the nearest vectors were found."))
}

fn graph_filter() -> Fields {
    asked("Only what is around some documents can be found.")
        .may("root", text("One document, or several as roots."))
        .may_not_null("roots", list("Several documents.", text("")))
        .may_not_null("relations", list("Along these relations; left out, all.", text("")))
        .may("direction", choice("out by default.", &["out", "in", "both"]))
        .may("depth", count("How many edges away: 1 by default."))
}

fn expand() -> Fields {
    asked("What the best hits are linked to joins them, with a share of their scores.")
        .may_not_null("relations", list("Along these relations; left out, all.", text("")))
        .may("direction", choice("out by default.", &["out", "in", "both"]))
        .may("depth", count("How many edges away: 1 by default."))
        .may("damping", number("The share of a score that an edge leaves, 0 to 1: 0.5 by default."))
        .may("hits", count("How many of the best hits are expanded: 10 by default."))
        .may("limit", count("How often documents and other ends are come to at most: 1,000 by default."))
}

fn group_by() -> Shape {
    let sized = asked("")
        .must("field", text("Its path."))
        .may("size", count("How many results of each value: 1 by default."));
    either("At most a few results of each value of a field.", [text("A field."), sized.into()])
}

fn sort() -> Shape {
    let directed = asked("")
        .must("field", text("Its path."))
        .may_not_null("descending", flag("From the largest to the smallest."));
    either("", [text("A field, ascending."), directed.into()])
}

fn facet() -> Shape {
    let bound = |about: &str| either(about, [number(""), text("")]);
    let range =
        asked("Two numbers or two texts.").may("from", bound("Included.")).may("to", bound("Not included."));
    let detailed = asked("")
        .must("field", text("Its path."))
        .may("limit", count_in("How many values: 10 by default.", 1, 10_000))
        .may_not_null("ranges", list("Count within these instead.", range));
    either("", [text("The ten most frequent values of a field."), detailed.into()])
}

fn highlight() -> Shape {
    let of = asked("")
        .may_not_null("fields", list("Text fields; left out, all.", text("")))
        .may("length", count("About how many bytes of each: 160 by default."));
    either("True to show where the words stand; or which passages.", [flag(""), of.into()])
}

fn filter() -> Shape {
    let joint = |word: &str| asked("").must(word, list("At least one.", named("Filter")));
    let condition = asked("")
        .must("field", text("Its path."))
        .must("op", text("Such as =, <, in, between, like, contains, exists or matches."))
        .may_not_null("value", any("What it is compared with."));
    either(
        "Text of the filter language (docs/FILTERS.md), or a tree of conditions.",
        [
            text("Such as year >= 1990 AND lang = 'en'."),
            joint("and").into(),
            joint("or").into(),
            asked("").must("not", named("Filter")).into(),
            condition.into(),
        ],
    )
}

fn decay(fields: Fields, is_told: bool) -> Fields {
    let layers = |fields: Fields| {
        fields
            .must("field", text("The field that says which kind a document is."))
            .must("half_lives", map("Durations by kind; 0s for no decay.", text("")))
    };
    let layers = layers(if is_told { told("") } else { asked("") });
    fields
        .must("model", choice("", &["exponential", "linear", "step", "ebbinghaus"]))
        .must("half_life", text("A duration such as 7d; 0s for no decay."))
        .may("layers", layers)
        .may("time_field", text("The field with a document's time."))
        .may("pinned_field", text("The field that is true for documents that keep their score."))
}

fn found() -> Fields {
    told("What a search found.")
        .must("hits", list("The best first.", hit()))
        .must("warnings", list("What was odd about the query.", text("")))
        .may("facets", list("The counts of each field that was asked for.", counts()))
        .may("total", count("How many documents facets were counted in."))
        .may("truncated", flag("Whether there is more around the hits, when they were to be expanded."))
        .may("trace", list("How the nearest vectors were found, part by part.", trace()))
        .may("filter_plan", filter_plan())
}

fn hit() -> Fields {
    let highlight =
        told("A passage in pieces: one without a match, which may be empty, one with, and so on.")
            .must("field", text(""))
            .must("parts", list("", text("")));
    told("A result.")
        .must("id", text("The document's id."))
        .must("score", number("Larger is better."))
        .must("metadata", free("Its metadata."))
        .may("vector", vector("Its vector, when asked for."))
        .may("explanation", explanation())
        .may("highlights", list("Where the words stand, when asked for.", highlight))
        .may("connections", map("What it leads to, by path, when asked for.", list("", named("Tree"))))
}

fn explanation() -> Fields {
    let part = |fields: Fields| {
        fields
            .must("score", number(""))
            .must("rank", count("The first is 1."))
            .may("normalised", number("The score between 0 and 1, where lists were fused by alpha."))
            .must("contribution", number("What it adds to the score."))
    };
    let vector = part(told("The vector part; null when it did not find it.").must("distance", number("")));
    let words = part(told("The words part; null when it did not find it.")).must("terms", list("", term()));
    let decay = told("How old it is.")
        .must("factor", number("What its score was multiplied with."))
        .must("since", text("From when on it ages."))
        .must("touches", count("How often it was used."));
    let edge = told("").must("source", text("")).must("relation", text("")).must("target", text(""));
    let graph = told("What it was linked to, when hits were expanded.")
        .must("hit", text("The hit that it was come to from."))
        .must("score", number("Of that hit."))
        .must("damping", number("The share that an edge leaves."))
        .must("edges", list("In the order in which they were passed.", edge))
        .must("contribution", number("What it adds to the score."));
    told("Why it came, when asked for.")
        .must("vector", or_null(vector))
        .must("words", or_null(words))
        .may("graph", graph)
        .may("decay", decay)
}

fn term() -> Fields {
    told("")
        .must("term", text("As it is indexed."))
        .must("field", text(""))
        .must("tf", count("How often it stands in the field."))
        .must("df", count("How many documents have it there."))
        .must("documents", count("How many documents have the field."))
        .must("length", count("Words of the field."))
        .must("average_length", number(""))
        .must("idf", number(""))
        .may("count", count("How often it stands in the query, where that is more than once."))
        .may("boost", number("Less than 1 for a term that is a typo away."))
        .may("weight", number("How much the field counts, where that is not 1."))
        .must("contribution", number(""))
}

fn counts() -> Fields {
    let value = told("").must("value", any("")).must("count", count(""));
    let range = told("").must("from", any("")).must("to", any("")).must("count", count(""));
    told("")
        .must("field", text(""))
        .may("values", list("The most frequent first.", value))
        .may("distinct", count("How many values there are."))
        .may("ranges", list("Instead of values, where ranges were asked for.", range))
}

fn trace() -> Fields {
    told("")
        .must("documents", count("How many versions the part holds."))
        .must("plan", choice("How it was searched.", &["exact", "codes", "links"]))
        .must("distances", count("How many were computed."))
        .must("path", list("Those whose neighbours were looked at, in order.", text("")))
}

fn filter_plan() -> Fields {
    let step = told("")
        .must("condition", text(""))
        .must("estimated", or_null(count("How many documents were expected.")))
        .must("left", count("How many were left."))
        .must("how", list("", choice("", &["postings", "sorted", "texts", "documents"])));
    let vectors = told("How the nearest vectors were found among them.")
        .must("plan", choice("", &["exact", "codes", "links"]))
        .must("filtered", choice("", &["before", "during", "after"]))
        .must("distances", count(""));
    let part = told("")
        .must("part", choice("", &["segment", "memtable"]))
        .must("documents", count("How many versions it holds."))
        .must("live", count("How many of them are there."))
        .must("conditions", list("In the order in which they were answered.", step))
        .must("found", count("How many documents the filter accepts."))
        .may("vectors", vectors);
    told("How the filter was answered, when results are explained.")
        .must("filter", text("The filter as text."))
        .must("found", count("How many documents it accepts."))
        .must("parts", list("", part))
}

pub fn schemas() -> Vec<(&'static str, Shape)> {
    let by = decay(asked("What is old counts less."), false);
    vec![
        ("Search", search().into()),
        ("Filter", filter()),
        ("Found", found().into()),
        ("Decay", decay(told("What is old counts less."), true).into()),
        ("DecayChoice", either("By how much, or none.", [choice("", &["none"]), by.into()])),
    ]
}
