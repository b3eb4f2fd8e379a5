//! What looks after the server: whether it is well, its counts, its pages and this document.

use super::operation::{Errors, Group, get};
use super::schema::{Shape, any, choice, flag, list, text, told};

const HTML: &str = "text/html";

pub fn group() -> Group {
    let well = || told("").must("status", choice("", &["ok"]));
    let files = told("")
        .must("version", text("Another one when any file is another."))
        .must("engine", flag("Whether the engine for a tab is among the files."))
        .must("files", list("The names under /ui/.", text("")));
    Group {
        name: "operations",
        about: "Whether the server is well, what it counts, its pages.",
        errors: Errors::Problem,
        operations: vec![
            get("/healthz", "healthz", "Whether the process lives").answers(well()),
            get("/readyz", "readyz", "Whether requests are served")
                .answers(told("").must("status", choice("", &["ready"])))
                .fails(&["closed"]),
            get("/metrics", "metrics", "Counts, as Prometheus reads them").sends("text/plain"),
            get("/openapi.json", "openapi", "This document").answers(any("OpenAPI 3.1.")).tagged(),
            get("/docs", "docsPage", "This document as a page").sends(HTML).tagged(),
            get("/", "page", "To the explorer").done_with(308),
            get("/ui", "toPage", "To the explorer").done_with(308),
            get("/ui/", "uiPage", "The explorer").sends(HTML).tagged(),
            get("/ui/explorer", "toExplorer", "To the explorer, where it was once").done_with(308),
            get("/ui/explorer/", "explorer", "To the explorer, where it was once").done_with(308),
            get("/ui/files.json", "pageFiles", "The files of the page, for a tab that keeps them")
                .answers(files)
                .tagged(),
            get("/ui/{file}", "pageFile", "A file of the page")
                .sends("*/*")
                .tagged()
                .moved()
                .fails(&["unknown_route"]),
        ],
    }
}

/// Schemas of errors, by name.
pub fn schemas() -> Vec<(&'static str, Shape)> {
    vec![
        ("Problem", super::v1::problem().into()),
        ("Error", told("Why a request was refused.").must("error", text("The message.")).into()),
    ]
}
