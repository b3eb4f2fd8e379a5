//! Optimised product quantisation: the rotation that is learned from vectors, so that codes of what is rotated lose less.
//! The codes themselves are those of [`super::pq`].
//!
//! The components of a rotated vector vary on their own, and those of each part together as much as those of any other:
//! then 256 centres say of every part as much as they can. Only so many components are turned among each other: where there
//! are many, a matrix of all would be large, and dear to find. The same bits on every target and for any number of threads.
//!
//! # Source
//! Ge, He, Ke and Sun, "Optimized product quantization for approximate nearest neighbor search", CVPR 2013, section 3.2 (the
//! parametric solution: principal axes and how they are allocated); blocks of components are ours. Their section 3.1, which
//! goes on from there by turns of centres and rotations, was tried: among vectors that nothing was learned from it lost as
//! much (GloVe-100d: 0.0779 of 1 after eight turns, 0.0778 after none, 0.0863 without any rotation), for far more time.

use std::ops::Range;

use super::principal::{Axis, axes};
use crate::base::bytes::numbers;
use crate::base::{Error, Pool, Result, Writer};
use crate::kernels::dot_f32;

/// Section of the rotation, beside those of the codes: of each block of components its matrix, f32, row-major.
pub const ROTATION_SECTION: u16 = 3;

/// About so many components are turned among each other.
const BLOCK: usize = 256;
/// Vectors that a rotation is learned from.
const LEARNED_FROM: usize = 8192;
/// By how much the squared length of a row may differ from 1, by rounding.
const LENGTH_ERROR: f32 = 1e-3;
/// Vectors that a thread turns at a time.
const ROWS_A_TASK: usize = 128;
/// Rows of a covariance that a thread sums at a time.
const ROWS_OF_SUMS: usize = 16;

/// Components that are turned among each other, and which of the parts they are cut into are theirs.
#[derive(Debug, Clone)]
struct Block {
    components: Range<usize>,
    parts: Range<usize>,
}

/// At least so many parts a vector must be cut into: a block has one or more.
#[must_use]
pub fn parts_min(dim: usize) -> usize {
    dim.div_ceil(BLOCK)
}

/// Blocks have as many parts as each other, or one more.
fn blocks(parts: &[Range<usize>]) -> Vec<Block> {
    let dim = parts.last().map_or(0, |part| part.end);
    let count = parts_min(dim);
    let at = |i: usize| i * parts.len() / count;
    let block = |i| {
        let own = at(i)..at(i + 1);
        Block { components: parts[own.start].start..parts[own.end - 1].end, parts: own }
    };
    (0..count).map(block).collect()
}

/// Bytes of a rotation for vectors that are cut into these parts.
#[must_use]
pub fn bytes(parts: &[Range<usize>]) -> usize {
    blocks(parts).iter().map(|block| block.components.len() * block.components.len() * size_of::<f32>()).sum()
}

/// One block's rotation.
#[derive(Debug, Clone)]
struct Turn {
    dim: usize,
    /// `[dim, dim]`: what each component is made of.
    rows: Vec<f32>,
}

impl Turn {
    fn of(matrix: &[f64], dim: usize) -> Self {
        Self { dim, rows: matrix.iter().map(|x| *x as f32).collect() }
    }

    fn apply(&self, vector: &[f32], out: &mut [f32]) {
        for (row, out) in self.rows.chunks_exact(self.dim).zip(out) {
            *out = dot_f32(row, vector);
        }
    }
}

/// A rotation of vectors, block by block.
#[derive(Debug, Clone)]
pub struct LearnedRotation {
    turns: Vec<Turn>,
}

impl LearnedRotation {
    /// Makes `out` the rotated vector.
    ///
    /// # Shapes
    /// `vector`, and `out` afterwards: `[dim]`.
    pub fn apply(&self, vector: &[f32], out: &mut Vec<f32>) {
        out.clear();
        out.resize(vector.len(), 0.0);
        let (mut given, mut made) = (vector, &mut out[..]);
        for turn in &self.turns {
            let (next, rest) = given.split_at(turn.dim);
            let (place, places) = made.split_at_mut(turn.dim);
            turn.apply(next, place);
            (given, made) = (rest, places);
        }
    }

    /// The vector that was rotated, but for rounding.
    ///
    /// # Shapes
    /// `rotated`, and what is returned: `[dim]`.
    #[must_use]
    pub fn undo(&self, rotated: &[f32]) -> Vec<f32> {
        let (mut out, mut given) = (Vec::with_capacity(rotated.len()), rotated);
        for turn in &self.turns {
            let (next, rest) = given.split_at(turn.dim);
            let mut block = vec![0.0f32; turn.dim];
            for (row, x) in turn.rows.chunks_exact(turn.dim).zip(next) {
                block.iter_mut().zip(row).for_each(|(sum, y)| *sum += x * y);
            }
            out.append(&mut block);
            given = rest;
        }
        out
    }

    /// Rotates vectors in place.
    ///
    /// # Shapes
    /// `vectors`: `[n, dim]`, row-major.
    pub fn apply_to_all(&self, vectors: &mut [f32], pool: &Pool) {
        let dim: usize = self.turns.iter().map(|turn| turn.dim).sum();
        let tasks: Vec<&[f32]> = vectors.chunks(ROWS_A_TASK * dim).collect();
        let rotated = pool.map_with(tasks.len(), Vec::new, |out, task| {
            let one = |vector| {
                self.apply(vector, out);
                out.clone()
            };
            tasks[task].chunks_exact(dim).flat_map(one).collect::<Vec<f32>>()
        });
        vectors.copy_from_slice(&rotated.concat());
    }

    /// Its bytes: block after block, row after row.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.turns.iter().flat_map(|turn| &turn.rows).for_each(|x| w.f32(*x));
        w.finish()
    }

    /// Reads what [`Self::write`] wrote, for vectors that are cut into these parts.
    ///
    /// # Errors
    /// `corrupt` for bytes that are no rotation of such vectors.
    pub fn read(bytes: &[u8], parts: &[Range<usize>]) -> Result<Self> {
        let refuse = |expected: &str| Err(Error::corrupt("learned rotation", 0, expected));
        if bytes.len() != self::bytes(parts) {
            return refuse("the rows of every block");
        }
        let all = numbers::<f32>(bytes).map_err(|e| e.within("learned rotation", 0))?;
        let mut at = 0;
        let turn = |block: &Block| {
            let dim = block.components.len();
            at += dim * dim;
            Turn { dim, rows: all[at - dim * dim..at].to_vec() }
        };
        let turns: Vec<Turn> = blocks(parts).iter().map(turn).collect();
        let is_sound = |row: &[f32]| (dot_f32(row, row) - 1.0).abs() < LENGTH_ERROR;
        if !turns.iter().all(|turn| turn.rows.chunks_exact(turn.dim).all(is_sound)) {
            return refuse("rows of length 1");
        }
        Ok(Self { turns })
    }
}

/// Learns a rotation, a block at a time.
#[derive(Debug)]
pub struct Learner {
    parts: Vec<Range<usize>>,
    blocks: Vec<Block>,
    turns: Vec<Turn>,
}

impl Learner {
    /// For vectors that are cut into these parts, at least [`parts_min`].
    #[must_use]
    pub fn new(parts: Vec<Range<usize>>) -> Self {
        let blocks = blocks(&parts);
        Self { parts, blocks, turns: Vec::new() }
    }

    /// Learns the next block from these vectors, the same at every call; the rotation once there is none left.
    ///
    /// # Shapes
    /// `vectors`: `[n, dim]`, row-major.
    pub fn step(&mut self, vectors: &[f32], pool: &Pool) -> Option<LearnedRotation> {
        let Some(block) = self.blocks.get(self.turns.len()) else {
            return Some(LearnedRotation { turns: std::mem::take(&mut self.turns) });
        };
        let (whole, dim) = (self.parts[self.parts.len() - 1].end, block.components.len());
        let lens: Vec<usize> = self.parts[block.parts.clone()].iter().map(Range::len).collect();
        let found = axes(&covariance(&some(vectors, whole, &block.components), dim, pool), dim);
        let matrix = found.map_or_else(|| identity(dim), |axes| spread(axes, &lens));
        self.turns.push(Turn::of(&matrix, dim));
        None
    }
}

/// What is learned from: these components of vectors evenly spread over all.
fn some(vectors: &[f32], dim: usize, components: &Range<usize>) -> Vec<f32> {
    let n = vectors.len() / dim;
    let count = n.min(LEARNED_FROM);
    // A browser counts in 32 bits.
    let start = |i: usize| (i as u64 * n as u64 / count as u64) as usize * dim;
    let row = |i| &vectors[start(i) + components.start..start(i) + components.end];
    (0..count).flat_map(row).copied().collect()
}

fn identity(dim: usize) -> Vec<f64> {
    (0..dim * dim).map(|at| if at / dim == at % dim { 1.0 } else { 0.0 }).collect()
}

/// Some components of each vector.
///
/// # Shapes
/// `vectors`: `[n, dim]`, row-major; what is returned: `[n, components.len()]`.
#[must_use]
pub fn components_of(vectors: &[f32], dim: usize, components: &Range<usize>) -> Vec<f32> {
    vectors.chunks_exact(dim).flat_map(|vector| &vector[components.clone()]).copied().collect()
}

/// Along which axis each component of each part lies, so that the variances of each part have about the same product: the
/// axes in the order of their variances, each for the part whose product is smallest yet.
fn spread(mut axes: Vec<Axis>, parts: &[usize]) -> Vec<f64> {
    axes.sort_by(|a, b| b.variance.total_cmp(&a.variance));
    let least = axes.last().map_or(1.0, |axis| axis.variance);
    let mut given: Vec<(f64, Vec<Axis>)> = parts.iter().map(|_| (0.0, Vec::new())).collect();
    for axis in axes {
        let has_room = given.iter_mut().zip(parts).filter(|(of, len)| of.1.len() < **len);
        let smallest = has_room.map(|(of, _)| of).min_by(|a, b| a.0.total_cmp(&b.0));
        let (product, own) = smallest.expect("as many axes as components");
        *product += libm::log(axis.variance / least);
        own.push(axis);
    }
    given.into_iter().flat_map(|(_, own)| own).flat_map(|axis| axis.direction).collect()
}

/// How components of vectors vary together, around their mean.
///
/// # Shapes
/// `vectors`: `[n, dim]`, row-major; what is returned: `[dim, dim]`.
fn covariance(vectors: &[f32], dim: usize, pool: &Pool) -> Vec<f64> {
    let n = (vectors.len() / dim).max(1) as f64;
    let mut means = vec![0.0f64; dim];
    for vector in vectors.chunks_exact(dim) {
        means.iter_mut().zip(vector).for_each(|(sum, x)| *sum += f64::from(*x));
    }
    means.iter_mut().for_each(|sum| *sum /= n);
    let rows = pool.map(dim.div_ceil(ROWS_OF_SUMS), |task| {
        let own = task * ROWS_OF_SUMS..dim.min((task + 1) * ROWS_OF_SUMS);
        let (mut sums, mut centred) = (vec![0.0f64; own.len() * dim], vec![0.0f64; dim]);
        for vector in vectors.chunks_exact(dim) {
            for ((x, mean), out) in vector.iter().zip(&means).zip(&mut centred) {
                *out = f64::from(*x) - mean;
            }
            for (sums, i) in sums.chunks_exact_mut(dim).zip(own.clone()) {
                let x = centred[i];
                sums.iter_mut().zip(&centred).for_each(|(sum, y)| *sum += x * y);
            }
        }
        sums.iter().map(|sum| sum / n).collect::<Vec<f64>>()
    });
    rows.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    /// Parts of about four components.
    fn cut(dim: usize) -> Vec<Range<usize>> {
        let count = dim.div_ceil(4);
        (0..count).map(|i| i * dim / count..(i + 1) * dim / count).collect()
    }

    /// Vectors of which a few numbers decide all components.
    fn vectors(n: usize, dim: usize) -> Vec<f32> {
        let mut rng = Rng::new(8);
        let map: Vec<f32> = (0..dim * 16).map(|_| rng.unit_f32() - 0.5).collect();
        let one = |_| {
            let deciding: Vec<f32> = (0..16).map(|i| (rng.unit_f32() - 0.4) / (i + 1) as f32).collect();
            map.chunks_exact(16).map(|row| dot_f32(row, &deciding)).collect::<Vec<f32>>()
        };
        (0..n).flat_map(one).collect()
    }

    fn learned(vectors: &[f32], dim: usize, pool: &Pool) -> LearnedRotation {
        let mut learner = Learner::new(cut(dim));
        loop {
            if let Some(rotation) = learner.step(vectors, pool) {
                return rotation;
            }
        }
    }

    #[test]
    fn lengths_stay_and_a_vector_comes_back() {
        for dim in [1, 7, 100, 300] {
            let all = vectors(400, dim);
            let (rotation, mut out) = (learned(&all, dim, &Pool::single()), Vec::new());
            for vector in all.chunks_exact(dim).take(20) {
                rotation.apply(vector, &mut out);
                let (before, after) = (dot_f32(vector, vector), dot_f32(&out, &out));
                assert!((before - after).abs() <= 1e-5 * before, "dim {dim}: {after} for {before}");
                let back = rotation.undo(&out);
                assert!(back.iter().zip(vector).all(|(a, b)| (a - b).abs() < 1e-5), "dim {dim}");
            }
        }
    }

    #[test]
    fn components_vary_on_their_own() {
        let (dim, mut all) = (16, vectors(3000, 16));
        learned(&all, dim, &Pool::single()).apply_to_all(&mut all, &Pool::single());
        let matrix = covariance(&all, dim, &Pool::single());
        for (i, j) in (0..dim).flat_map(|i| (0..i).map(move |j| (i, j))) {
            let own = (matrix[i * dim + i] * matrix[j * dim + j]).sqrt();
            assert!(matrix[i * dim + j].abs() <= 1e-3 * own + 1e-9, "{i} and {j}");
        }
    }

    #[test]
    fn axes_are_shared_out_so_that_parts_vary_as_much_as_each_other() {
        let axis = |i: usize| {
            let direction = (0..5).map(|at| f64::from(u8::from(at == i))).collect();
            Axis { variance: [1.0, 8.0, 2.0, 4.0, 0.5][i], direction }
        };
        // 8 and 1 to the first, 4 and 2 to the second, which is full; the last has room in the first alone.
        let rows = spread((0..5).map(axis).collect(), &[3, 2]);
        let order: Vec<usize> =
            rows.chunks_exact(5).filter_map(|row| row.iter().position(|x| *x == 1.0)).collect();
        assert_eq!(order, [1, 0, 4, 3, 2]);
    }

    #[test]
    fn the_same_for_any_number_of_threads_and_read_again() {
        let all = vectors(500, 300);
        let bytes = learned(&all, 300, &Pool::single()).write();
        assert!(bytes == learned(&all, 300, &Pool::new(3)).write());
        assert_eq!(bytes.len(), super::bytes(&cut(300)));
        assert_eq!(LearnedRotation::read(&bytes, &cut(300)).expect("just written").write(), bytes);
    }

    #[test]
    fn vectors_that_do_not_vary_are_left_as_they_are() {
        for all in [vec![], vec![0.0; 50], vec![3.0; 50]] {
            assert_eq!(
                learned(&all, 5, &Pool::single()).undo(&[1.0, 2.0, 3.0, 4.0, 5.0]),
                [1.0, 2.0, 3.0, 4.0, 5.0]
            );
        }
    }

    #[test]
    fn rows_that_are_no_rotation_are_refused() {
        let sound = learned(&vectors(50, 6), 6, &Pool::single()).write();
        let mut longer = sound.clone();
        longer.extend([0; 4]);
        let mut bent = sound;
        bent[..4].copy_from_slice(&1.5f32.to_le_bytes());
        let mut none = bent.clone();
        none[..4].copy_from_slice(&f32::NAN.to_le_bytes());
        for bytes in [longer, bent, none] {
            assert_eq!(LearnedRotation::read(&bytes, &cut(6)).expect_err("damaged").code(), "corrupt");
        }
    }
}
