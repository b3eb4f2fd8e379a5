//! The kernels for x86 processors that have more than every one of them: AVX2 with F16C, and AVX-512 BW on top.
//!
//! [`super::kernels`] asks the running processor. VNNI would save an instruction of an inner loop that waits for memory.

use core::arch::x86_64::*;

use bytemuck::cast;
use half::f16;

use super::scalar::SAME_DIM;
use super::{BitQuery, CodeQuery, Kernels, PLANES, lanes, padded};

/// Processors with AVX2 and F16C.
static AVX2: Kernels = Kernels {
    name: "avx2",
    dot_f32: checked::dot_f32,
    squared_l2_f32: checked::squared_l2_f32,
    l1_f32: checked::l1_f32,
    dot_f16: checked::dot_f16,
    squared_l2_f16: checked::squared_l2_f16,
    l1_f16: checked::l1_f16,
    dot_i8: checked::dot_i8,
    squared_l2_i8: checked::squared_l2_i8,
    l1_i8: checked::l1_i8,
    hamming: checked::hamming,
    dot_i8_rows: checked::dot_i8_rows,
    l1_i8_rows: checked::l1_i8_rows,
    dot_bits_rows: checked::dot_bits_rows,
};

/// Processors with AVX-512 F and BW too.
static AVX512: Kernels =
    Kernels { name: "avx512", dot_i8: checked::dot_i8_512, dot_i8_rows: checked::dot_i8_rows_512, ..AVX2 };

/// Processors that count bits in these registers, too.
static COUNTING: Kernels =
    Kernels { name: "avx512 counting", dot_bits_rows: checked::dot_bits_rows_512, ..AVX512 };

/// What the running processor has, the best first.
pub(super) fn supported() -> impl Iterator<Item = &'static Kernels> {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c");
    let avx512 = avx2 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    let counting = avx512 && is_x86_feature_detected!("avx512vpopcntdq");
    [(counting, &COUNTING), (avx512, &AVX512), (avx2, &AVX2)]
        .into_iter()
        .filter(|(has, _)| *has)
        .map(|(_, kernels)| kernels)
}

/// Bytes of a cache line.
const LINE: usize = 64;

/// Asks for the cache lines of some numbers.
#[inline(always)]
pub(super) fn prefetch<T>(numbers: &[T]) {
    let start = numbers.as_ptr().cast::<i8>();
    // Lines begin at multiples of their size: numbers that do not may end one line later.
    let before = start.addr() % LINE;
    let start = start.wrapping_sub(before);
    let mut offset = 0;
    while offset < before + size_of_val(numbers) {
        #[expect(unsafe_code, reason = "the intrinsic takes a pointer")]
        // SAFETY: SSE is there on every x86-64, and a prefetch reads nothing that the program sees.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(offset));
        }
        offset += LINE;
    }
}

/// Functions that can be called without knowing the processor, for the tables above and for nothing else.
mod checked {
    use super::*;

    macro_rules! checked {
        ($($name:ident($($arg:ident: $type:ty),*) $(-> $out:ty)?;)*) => {$(
            pub(super) fn $name($($arg: $type),*) $(-> $out)? {
                #[expect(unsafe_code, reason = "the compiler does not know that the processor was asked")]
                // SAFETY: only the tables name this, and `supported` gives out a table only to processors that have
                // its features.
                unsafe {
                    super::$name($($arg),*)
                }
            }
        )*};
    }

    checked! {
        dot_f32(a: &[f32], b: &[f32]) -> f32;
        squared_l2_f32(a: &[f32], b: &[f32]) -> f32;
        l1_f32(a: &[f32], b: &[f32]) -> f32;
        dot_f16(a: &[f32], b: &[f16]) -> f32;
        squared_l2_f16(a: &[f32], b: &[f16]) -> f32;
        l1_f16(a: &[f32], b: &[f16]) -> f32;
        dot_i8(a: &[i8], b: &[i8]) -> i32;
        squared_l2_i8(a: &[i8], b: &[i8]) -> u32;
        l1_i8(a: &[i8], b: &[i8]) -> i32;
        hamming(a: &[u8], b: &[u8]) -> u32;
        dot_i8_rows(query: &CodeQuery, rows: &[i8], of: &[u32], out: &mut Vec<f32>);
        l1_i8_rows(query: &CodeQuery, rows: &[i8], of: &[u32], out: &mut Vec<f32>);
        dot_bits_rows(query: &BitQuery, rows: &[u8], of: &[u32], out: &mut Vec<f32>);
        dot_bits_rows_512(query: &BitQuery, rows: &[u8], of: &[u32], out: &mut Vec<f32>);
        dot_i8_512(a: &[i8], b: &[i8]) -> i32;
        dot_i8_rows_512(query: &CodeQuery, rows: &[i8], of: &[u32], out: &mut Vec<f32>);
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn floats(x: &[f32; 8]) -> __m256 {
    cast(*x)
}

#[inline]
#[target_feature(enable = "avx2,f16c")]
fn halves(x: &[f16; 8]) -> __m256 {
    _mm256_cvtph_ps(cast(x.map(f16::to_bits)))
}

/// A sum over components as `scalar` describes it: `$load` makes eight f32 of eight components of `b`, `$term` adds
/// the terms of eight components to eight lanes.
macro_rules! float_sum {
    ($name:ident, $b:ty, $load:ident, |$sum:ident, $x:ident, $y:ident| $term:expr) => {
        #[target_feature(enable = "avx2,f16c")]
        fn $name(a: &[f32], b: &[$b]) -> f32 {
            assert_eq!(a.len(), b.len(), "{SAME_DIM}");
            let mut lanes = [_mm256_setzero_ps(); 4];
            let (a_blocks, a_tail) = a.as_chunks::<32>();
            let (b_blocks, b_tail) = b.as_chunks::<32>();
            for (x, y) in a_blocks.iter().zip(b_blocks) {
                let (x, y) = (x.as_chunks::<8>().0, y.as_chunks::<8>().0);
                for g in 0..4 {
                    let ($sum, $x, $y) = (lanes[g], floats(&x[g]), $load(&y[g]));
                    lanes[g] = $term;
                }
            }
            let (a_eights, a_end) = a_tail.as_chunks::<8>();
            let (b_eights, b_end) = b_tail.as_chunks::<8>();
            for (g, lane) in lanes.iter_mut().enumerate() {
                if let (Some(x), Some(y)) = (a_eights.get(g), b_eights.get(g)) {
                    let ($sum, $x, $y) = (*lane, floats(x), $load(y));
                    *lane = $term;
                } else if g == a_eights.len() && !a_end.is_empty() {
                    let ($sum, $x, $y) = (*lane, floats(&padded(a_end)), $load(&padded(b_end)));
                    *lane = $term;
                }
            }
            let halves = _mm256_add_ps(_mm256_add_ps(lanes[0], lanes[2]), _mm256_add_ps(lanes[1], lanes[3]));
            let r: [f32; 8] = cast(halves);
            let (r0, r1, r2, r3) = (r[0] + r[4], r[1] + r[5], r[2] + r[6], r[3] + r[7]);
            (r0 + r2) + (r1 + r3)
        }
    };
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_product(sum: __m256, x: __m256, y: __m256) -> __m256 {
    _mm256_add_ps(sum, _mm256_mul_ps(x, y))
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_square(sum: __m256, x: __m256, y: __m256) -> __m256 {
    let d = _mm256_sub_ps(x, y);
    _mm256_add_ps(sum, _mm256_mul_ps(d, d))
}

#[inline]
#[target_feature(enable = "avx2")]
fn add_absolute(sum: __m256, x: __m256, y: __m256) -> __m256 {
    let sign = _mm256_set1_ps(-0.0);
    _mm256_add_ps(sum, _mm256_andnot_ps(sign, _mm256_sub_ps(x, y)))
}

float_sum!(dot_f32, f32, floats, |sum, x, y| add_product(sum, x, y));
float_sum!(squared_l2_f32, f32, floats, |sum, x, y| add_square(sum, x, y));
float_sum!(l1_f32, f32, floats, |sum, x, y| add_absolute(sum, x, y));
float_sum!(dot_f16, f16, halves, |sum, x, y| add_product(sum, x, y));
float_sum!(squared_l2_f16, f16, halves, |sum, x, y| add_square(sum, x, y));
float_sum!(l1_f16, f16, halves, |sum, x, y| add_absolute(sum, x, y));

/// Sixteen int8 as sixteen int16.
#[inline]
#[target_feature(enable = "avx2")]
fn widened(x: &[i8; 16]) -> __m256i {
    _mm256_cvtepi8_epi16(cast(*x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum_of(x: __m256i) -> i32 {
    let half = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256::<1>(x));
    let quarter = _mm_add_epi32(half, _mm_shuffle_epi32::<0b01_00_11_10>(half));
    let one = _mm_add_epi32(quarter, _mm_shuffle_epi32::<0b10_11_00_01>(quarter));
    _mm_cvtsi128_si32(one)
}

/// An exact sum over int8: `$term` makes eight int32 of sixteen int16 of each side.
macro_rules! int_sum {
    ($name:ident, $out:ty, |$x:ident, $y:ident| $term:expr) => {
        #[target_feature(enable = "avx2")]
        fn $name(a: &[i8], b: &[i8]) -> $out {
            assert_eq!(a.len(), b.len(), "{SAME_DIM}");
            let mut sum = _mm256_setzero_si256();
            let (a_blocks, a_end) = a.as_chunks::<16>();
            let (b_blocks, b_end) = b.as_chunks::<16>();
            for (x, y) in a_blocks.iter().zip(b_blocks) {
                let ($x, $y) = (widened(x), widened(y));
                sum = _mm256_add_epi32(sum, $term);
            }
            if !a_end.is_empty() {
                let ($x, $y) = (widened(&padded(a_end)), widened(&padded(b_end)));
                sum = _mm256_add_epi32(sum, $term);
            }
            sum_of(sum) as $out
        }
    };
}

#[inline]
#[target_feature(enable = "avx2")]
fn squares(x: __m256i, y: __m256i) -> __m256i {
    let d = _mm256_sub_epi16(x, y);
    _mm256_madd_epi16(d, d)
}

#[inline]
#[target_feature(enable = "avx2")]
fn absolutes(x: __m256i, y: __m256i) -> __m256i {
    _mm256_madd_epi16(_mm256_abs_epi16(_mm256_sub_epi16(x, y)), _mm256_set1_epi16(1))
}

int_sum!(dot_i8, i32, |x, y| _mm256_madd_epi16(x, y));
int_sum!(squared_l2_i8, u32, |x, y| squares(x, y));
int_sum!(l1_i8, i32, |x, y| absolutes(x, y));

#[target_feature(enable = "popcnt")]
fn hamming(a: &[u8], b: &[u8]) -> u32 {
    lanes::hamming(a, b)
}

#[target_feature(enable = "avx2")]
fn dot_i8_rows(query: &CodeQuery, rows: &[i8], of: &[u32], out: &mut Vec<f32>) {
    let query = query.wide();
    let (blocks, _) = query.as_chunks::<16>();
    for &i in of {
        let row = &rows[i as usize * query.len()..][..query.len()];
        let mut sum = _mm256_setzero_si256();
        for (x, y) in row.as_chunks::<16>().0.iter().zip(blocks) {
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(widened(x), cast(*y)));
        }
        out.push(sum_of(sum) as f32);
    }
}

#[target_feature(enable = "avx2")]
fn l1_i8_rows(query: &CodeQuery, rows: &[i8], of: &[u32], out: &mut Vec<f32>) {
    let query = query.bytes();
    let row = |i: u32| &rows[i as usize * query.len()..][..query.len()];
    out.extend(of.iter().map(|&i| l1_i8(query, row(i)) as f32));
}

/// So many words are counted in bytes before a byte could be full.
const WORDS_IN_BYTES: usize = 31;

/// Of every byte, how many bits are set (Mula, Kurz and Lemire, "Faster population counts using AVX2 instructions").
#[inline]
#[target_feature(enable = "avx2")]
fn bits_of_bytes(x: __m256i) -> __m256i {
    let of_nibbles = _mm256_broadcastsi128_si256(cast([0u8, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4]));
    let nibble = _mm256_set1_epi8(15);
    let low = _mm256_shuffle_epi8(of_nibbles, _mm256_and_si256(x, nibble));
    let high = _mm256_shuffle_epi8(of_nibbles, _mm256_and_si256(_mm256_srli_epi16::<4>(x), nibble));
    _mm256_add_epi8(low, high)
}

/// A word of a row beside that of each plane, in a lane of its own.
#[target_feature(enable = "avx2")]
fn dot_bits_rows(query: &BitQuery, rows: &[u8], of: &[u32], out: &mut Vec<f32>) {
    let (planes, stride) = (query.planes(), query.stride());
    for &i in of {
        let (words, _) = rows[i as usize * stride..][..8 * planes.len()].as_chunks::<8>();
        let mut sum = _mm256_setzero_si256();
        for (words, planes) in words.chunks(WORDS_IN_BYTES).zip(planes.chunks(WORDS_IN_BYTES)) {
            let mut counts = _mm256_setzero_si256();
            for (word, planes) in words.iter().zip(planes) {
                let word = _mm256_set1_epi64x(i64::from_le_bytes(*word));
                counts = _mm256_add_epi8(counts, bits_of_bytes(_mm256_and_si256(word, cast(*planes))));
            }
            sum = _mm256_add_epi64(sum, _mm256_sad_epu8(counts, _mm256_setzero_si256()));
        }
        let [one, two, four, eight]: [i64; 4] = cast(sum);
        out.push((one + 2 * two + 4 * four - 8 * eight) as f32);
    }
}

/// Eight words of a row beside those of each plane.
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,avx2")]
fn dot_bits_rows_512(query: &BitQuery, rows: &[u8], of: &[u32], out: &mut Vec<f32>) {
    let (blocks, words, stride) = (query.blocks(), 8 * query.planes().len(), query.stride());
    for &i in of {
        let rest = &rows[i as usize * stride..];
        let mut sums = [_mm512_setzero_si512(); PLANES];
        for (at, planes) in blocks.iter().enumerate() {
            // Behind the last word stand other bytes, for which the planes are zero; at the end of all rows, nothing.
            let bytes = match rest[at * LINE..].first_chunk::<LINE>() {
                Some(bytes) => *bytes,
                None => padded(&rest[at * LINE..words]),
            };
            let block: __m512i = cast(bytes);
            for (sum, plane) in sums.iter_mut().zip(planes) {
                *sum = _mm512_add_epi64(*sum, _mm512_popcnt_epi64(_mm512_and_si512(block, cast(*plane))));
            }
        }
        let [one, two, four, eight] = sums;
        let low = _mm512_add_epi64(one, _mm512_slli_epi64::<1>(two));
        let high = _mm512_sub_epi64(_mm512_slli_epi64::<2>(four), _mm512_slli_epi64::<3>(eight));
        out.push(_mm512_reduce_add_epi64(_mm512_add_epi64(low, high)) as f32);
    }
}

/// Thirty-two int8 as thirty-two int16.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn widened_512(x: &[i8; 32]) -> __m512i {
    _mm512_cvtepi8_epi16(cast(*x))
}

#[target_feature(enable = "avx512f,avx512bw,avx2")]
fn dot_i8_512(a: &[i8], b: &[i8]) -> i32 {
    assert_eq!(a.len(), b.len(), "{SAME_DIM}");
    let mut sum = _mm512_setzero_si512();
    let (a_blocks, a_end) = a.as_chunks::<32>();
    let (b_blocks, b_end) = b.as_chunks::<32>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        sum = _mm512_add_epi32(sum, _mm512_madd_epi16(widened_512(x), widened_512(y)));
    }
    let rest = if a_end.is_empty() { 0 } else { dot_i8(a_end, b_end) };
    sum_of_512(sum) + rest
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx2")]
fn sum_of_512(x: __m512i) -> i32 {
    sum_of(_mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64::<1>(x)))
}

#[target_feature(enable = "avx512f,avx512bw,avx2")]
fn dot_i8_rows_512(query: &CodeQuery, rows: &[i8], of: &[u32], out: &mut Vec<f32>) {
    let query = query.wide();
    let (blocks, end) = query.as_chunks::<32>();
    let (last, _) = end.as_chunks::<16>();
    for &i in of {
        let row = &rows[i as usize * query.len()..][..query.len()];
        let (row_blocks, row_end) = row.as_chunks::<32>();
        let mut sum = _mm512_setzero_si512();
        for (x, y) in row_blocks.iter().zip(blocks) {
            sum = _mm512_add_epi32(sum, _mm512_madd_epi16(widened_512(x), cast(*y)));
        }
        let mut sum = _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64::<1>(sum));
        for (x, y) in row_end.as_chunks::<16>().0.iter().zip(last) {
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(widened(x), cast(*y)));
        }
        out.push(sum_of(sum) as f32);
    }
}
