//! What each stored form and each kind of codes finds, all by the same links: from the vectors themselves down to a bit a
//! component, and int8 codes of vectors that were scaled.

use std::borrow::Cow;
use std::hint::black_box;
use std::ops::Range;
use std::path::Path;

use kithdb::base::{Pool, TopK};
use kithdb::collection::Part;
use kithdb::hnsw::{Hnsw, Scratch, SearchParams};
use kithdb::kernels::CodeQuery;
use kithdb::segment::default_rerank;
use kithdb::storage::{Blob, BlobId};
use kithdb::vectors::bits::BitScratch;
use kithdb::vectors::{
    CodeEncoder, Codes, Coding, Metric, PreparedQuery, RowScorer, Scorer, Stored, inverse_norm, pq,
};
use serde::Serialize;

use crate::{Loaded, Result, Timer, rows, set};

/// What one choice took and found.
#[derive(Serialize)]
pub struct Row {
    name: String,
    /// Bytes of a vector, those of what is held once for all shared out.
    bytes: f64,
    /// Seconds of one core that encoding all vectors took.
    cpu_s: f64,
    /// Of each width, what was found, query after query.
    ids: Vec<Vec<u32>>,
    /// Of each width, microseconds of one core for a query, those of the quickest round; none where they were not taken.
    us: Vec<f64>,
}

/// Rounds in which the kinds of codes take turns to be timed.
const ROUNDS: usize = 5;

/// The vectors, exactly as they were given or in another form.
struct Base {
    metric: Metric,
    dim: usize,
    floats: Vec<f32>,
    norms: Vec<f32>,
}

/// How wide a search is, and how many results it has.
#[derive(Clone, Copy)]
struct Width {
    k: usize,
    ef: usize,
}

impl Base {
    fn new(metric: Metric, dim: usize, floats: Vec<f32>) -> Self {
        let norms = floats.chunks_exact(dim).map(inverse_norm).collect();
        Self { metric, dim, floats, norms }
    }

    fn len(&self) -> usize {
        self.norms.len()
    }

    fn row(&self, i: u32) -> (&[f32], f32) {
        let at = i as usize;
        (&self.floats[at * self.dim..(at + 1) * self.dim], self.norms[at])
    }

    fn rounded(&self, form: Stored) -> Result<Self> {
        let mut floats = self.floats.clone();
        floats.chunks_exact_mut(self.dim).try_for_each(|row| form.round(self.metric, row))?;
        Ok(Self::new(self.metric, self.dim, floats))
    }

    fn encode(&self, coding: Coding) -> Result<(Codes, f64, f64)> {
        let timer = Timer::start();
        let mut encoder = CodeEncoder::new(coding, self.metric, self.dim, self.len())?;
        let read = |range: Range<usize>| {
            Ok(Cow::Borrowed(&self.floats[range.start * self.dim..range.end * self.dim]))
        };
        while !encoder.step(usize::MAX, &read, &Pool::single())? {}
        let (kind, sections) = encoder.blob();
        let cpu_s = timer.times().cpu_s;
        let bytes = sections.iter().map(|section| section.bytes.len()).sum::<usize>() as f64;
        let codes = Codes::open(&Blob::in_memory(BlobId::new(0, 1, kind), &sections)?)?;
        Ok((codes, bytes / self.len() as f64, cpu_s))
    }

    /// The best of some candidates by these vectors.
    fn best(&self, query: &PreparedQuery, candidates: &[u32], k: usize) -> Vec<u32> {
        let mut top = TopK::new(k);
        for &i in candidates {
            let (row, norm) = self.row(i);
            top.push(query.distance(row, norm), u64::from(i), i);
        }
        top.into_sorted().into_iter().map(|(_, i)| i).collect()
    }
}

fn candidates<S: Scorer>(
    links: &Hnsw,
    scorer: &S,
    ef: usize,
    take: usize,
    scratch: &mut Scratch,
) -> Vec<u32> {
    let params = SearchParams { ef, ..SearchParams::new(take.min(ef)) };
    links.search(scorer, params, None, scratch, None).hits.iter().map(|(_, i)| *i).collect()
}

/// Memory that searches use again.
#[derive(Default)]
struct Work {
    links: Scratch,
    int8: CodeQuery,
    bits: BitScratch,
    pq: pq::Scratch,
}

fn by_codes(links: &Hnsw, codes: &Codes, query: &[f32], Width { k, ef }: Width, work: &mut Work) -> Vec<u32> {
    let take = default_rerank(codes.coding(), k);
    let Work { links: scratch, int8, bits, pq } = work;
    match codes {
        Codes::Int8(codes) => candidates(links, &codes.scorer(query, int8), ef, take, scratch),
        Codes::Bits(codes) => candidates(links, &codes.scorer(query, bits), ef, take, scratch),
        Codes::Pq(codes) => candidates(links, &codes.scorer(query, pq), ef, take, scratch),
    }
}

/// Of each kind of codes and each width, how long a query takes: they take turns, and the quickest round counts.
fn times(
    base: &Base,
    links: &Hnsw,
    timed: &[(usize, Codes)],
    queries: &[PreparedQuery],
    widths: &[Width],
) -> Vec<Vec<f64>> {
    let (mut work, mut best) = (Work::default(), vec![vec![f64::MAX; widths.len()]; timed.len()]);
    for _ in 0..ROUNDS {
        for (at, width) in widths.iter().enumerate() {
            for ((_, codes), best) in timed.iter().zip(&mut best) {
                let timer = Timer::start();
                for query in queries {
                    let found = by_codes(links, codes, query.vector(), *width, &mut work);
                    black_box(base.best(query, &found, width.k));
                }
                best[at] = best[at].min(timer.times().cpu_s * 1e6 / queries.len() as f64);
            }
        }
    }
    best
}

/// Every choice on the only segment of what is loaded.
pub fn compare(loaded: &Loaded, data: &Path, k: usize, efs: &[usize]) -> Result<Vec<Row>> {
    let view = loaded.collection.view()?;
    let [part] = &view.parts[..] else { return Err("one segment is compared".into()) };
    let Part::Segment(segment) = &part.part else { return Err("a segment is compared".into()) };
    let links = segment.links()?.ok_or("a linked segment is compared")?;
    let dim = set(data)?.dim;
    let floats = rows(&data.join("base.f32"), dim)?.concat();
    let base = Base::new(view.config.metric, dim, floats);
    let widths: Vec<Width> = efs.iter().map(|&ef| Width { k, ef }).collect();
    let prepared: Vec<_> = loaded.queries.iter().map(|q| PreparedQuery::new(base.metric, q)).collect();
    let mut work = Work::default();
    let mut every = |find: &mut dyn FnMut(&PreparedQuery, Width, &mut Work) -> Vec<u32>| {
        let of = |width: &Width| prepared.iter().flat_map(|query| find(query, *width, &mut work)).collect();
        widths.iter().map(of).collect::<Vec<Vec<u32>>>()
    };

    let exact = every(&mut |query, Width { k, ef }, work| {
        candidates(links, &RowScorer::new(query, |i| base.row(i)), ef, k, &mut work.links)
    });
    let row = |name: &str, bytes, cpu_s, ids| Row { name: name.into(), bytes, cpu_s, ids, us: Vec::new() };
    let mut rows = vec![row("f32", dim as f64 * 4.0, 0.0, exact)];
    let mut timed = Vec::new();
    for coding in Coding::ALL.into_iter().filter(|coding| coding.check(base.metric).is_ok()) {
        let (codes, bytes, cpu_s) = base.encode(coding)?;
        let ids = every(&mut |query, width, work| {
            base.best(query, &by_codes(links, &codes, query.vector(), width, work), width.k)
        });
        timed.push((rows.len(), codes));
        rows.push(row(coding.name(), bytes, cpu_s, ids));
    }
    for ((at, _), us) in timed.iter().zip(times(&base, links, &timed, &prepared, &widths)) {
        rows[*at].us = us;
    }
    drop(timed);
    for form in [Stored::F16, Stored::Int8] {
        let rounded = base.rounded(form)?;
        let (codes, ..) = rounded.encode(Coding::Int8)?;
        let ids = every(&mut |query, width, work| {
            rounded.best(query, &by_codes(links, &codes, query.vector(), width, work), width.k)
        });
        rows.push(row(&format!("int8, stored {}", form.name()), form.width(dim) as f64, 0.0, ids));
    }
    for (name, scale, first) in [
        ("int8, x 0.001", 0.001, 0.001),
        ("int8, x 1000", 1000.0, 1000.0),
        ("int8, first x 1000", 1.0, 1000.0),
    ] {
        let mut floats = base.floats.clone();
        floats.iter_mut().enumerate().for_each(|(i, x)| *x *= if i < dim { first } else { scale });
        let (codes, bytes, cpu_s) = Base::new(base.metric, dim, floats).encode(Coding::Int8)?;
        let ids = every(&mut |query, width, work| {
            let scaled: Vec<f32> = query.vector().iter().map(|x| x * scale).collect();
            base.best(query, &by_codes(links, &codes, &scaled, width, work), width.k)
        });
        rows.push(row(name, bytes, cpu_s, ids));
    }
    Ok(rows)
}
