//! The process that serves: what its memory is, and what it computes.

use crate::openapi::operation::{Errors, Group, get};
use crate::openapi::schema::{Fields, choice, count, count_in, or_null, told};
use crate::profile::Form;
use crate::v1::process::PROFILE_SECONDS_MAX;

pub fn group() -> Group {
    let profile = get("/v1/profile", "getProfile", "What the server computes, for some seconds")
        .about(
            "A flame graph, a profile for pprof, or a line for each stack: threads and functions, and how often they were \
             seen. What waits is not seen. One profile is made at a time.",
        )
        .must_query("seconds", count_in("", 1, PROFILE_SECONDS_MAX), "For how long.")
        .query("format", choice("", &Form::NAMES), "How it is written; svg by default.")
        .sends("image/svg+xml")
        .or_sends("application/octet-stream")
        .or_sends("text/plain")
        .fails_with(503, "overloaded")
        .fails_with(501, "not_implemented");
    let memory = get("/v1/memory", "getMemory", "What the memory of the server is").answers(memory());
    let about = "What the process that serves takes, and what it computes.";
    Group { name: "process", about, errors: Errors::Problem, operations: vec![memory, profile] }
}

fn memory() -> Fields {
    let told_here = |about: &str| or_null(count(about));
    let process = told("As the system tells it; null where it does not.")
        .must("resident_bytes", told_here("In memory."))
        .must("resident_most_bytes", told_here("The most that ever was."))
        .must(
            "mapped_bytes",
            told_here("Of those in memory, files: the program, and what is mapped of the database."),
        )
        .must("swapped_bytes", told_here("Put out of memory."))
        .must("threads", told_here(""))
        .must("descriptors", told_here("Open files and connections."))
        .must("descriptors_max", told_here(""));
    let heap = told("Of C's heap; null where it does not tell.")
        .must("taken_bytes", count("Had of the system."))
        .must("used_bytes", count("Given out."))
        .must("free_bytes", count("Neither given out nor given back."));
    let database = told("As the database counts it.")
        .must("memory_bytes_max", count("What documents that are not sealed, and jobs, may take together."))
        .must("unsealed_bytes", count("Documents that are not sealed, of open collections."))
        .must("unsealed_bytes_max", count("From here on the largest are sealed."))
        .must("job_bytes_max", count("What one job writes at most."))
        .must(
            "copied_bytes",
            count("Copies on huge pages of what searches read all over; beside the others."),
        )
        .must("collections_open", count("The key-value store among them."));
    let requests = told("What requests hold.")
        .must("in_flight", count("Worked on, or waiting for it."))
        .must("body_bytes", count("Of bodies."))
        .must("body_bytes_max", count(""))
        .must("answer_bytes", count("Written, and not sent."))
        .must("answer_bytes_max", count("Beside one that is longer than half of it."));
    told("")
        .must("process", process)
        .must("heap", or_null(heap))
        .must("database", database)
        .must("requests", requests)
}
