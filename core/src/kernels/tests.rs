//! Every implementation against the specification, bit for bit.

use half::f16;
use proptest::prelude::*;

use super::*;
use crate::base::Rng;

/// Mixed magnitudes, so that another order of additions would give other bits.
fn floats(rng: &mut Rng, dim: usize) -> Vec<f32> {
    let one = |rng: &mut Rng| {
        let scale = [1e-30, 1e-3, 1.0, 1e3, 1e15][rng.below(5) as usize];
        (rng.unit_f32() * 2.0 - 1.0) * scale
    };
    (0..dim).map(|_| one(rng)).collect()
}

/// All finite ones, those below the normal among them.
fn halves(rng: &mut Rng, dim: usize) -> Vec<f16> {
    let mut all = std::iter::repeat_with(|| f16::from_bits(rng.next_u64() as u16)).filter(|x| x.is_finite());
    all.by_ref().take(dim).collect()
}

fn bytes(rng: &mut Rng, dim: usize) -> Vec<i8> {
    (0..dim).map(|_| rng.next_u64() as i8).collect()
}

proptest! {
    #[test]
    fn every_kernel_equals_the_specification_bit_for_bit(dim in 0..300usize, seed: u64) {
        let mut rng = Rng::new(seed);
        let (a, b, h) = (floats(&mut rng, dim), floats(&mut rng, dim), halves(&mut rng, dim));
        let (x, y) = (bytes(&mut rng, dim), bytes(&mut rng, dim));
        let (u, v): (Vec<u8>, Vec<u8>) = (bytemuck::cast_slice(&x).to_vec(), bytemuck::cast_slice(&y).to_vec());
        for kernels in supported() {
            let at = (kernels.name, dim);
            prop_assert_eq!((kernels.dot_f32)(&a, &b).to_bits(), scalar::dot_f32(&a, &b).to_bits(), "{:?}", at);
            let (l2, l1) = ((kernels.squared_l2_f32)(&a, &b), (kernels.l1_f32)(&a, &b));
            prop_assert_eq!(l2.to_bits(), scalar::squared_l2_f32(&a, &b).to_bits(), "{:?}", at);
            prop_assert_eq!(l1.to_bits(), scalar::l1_f32(&a, &b).to_bits(), "{:?}", at);
            prop_assert_eq!((kernels.dot_f16)(&a, &h).to_bits(), scalar::dot_f16(&a, &h).to_bits(), "{:?}", at);
            let (l2, l1) = ((kernels.squared_l2_f16)(&a, &h), (kernels.l1_f16)(&a, &h));
            prop_assert_eq!(l2.to_bits(), scalar::squared_l2_f16(&a, &h).to_bits(), "{:?}", at);
            prop_assert_eq!(l1.to_bits(), scalar::l1_f16(&a, &h).to_bits(), "{:?}", at);
            prop_assert_eq!((kernels.dot_i8)(&x, &y), scalar::dot_i8(&x, &y), "{:?}", at);
            prop_assert_eq!((kernels.squared_l2_i8)(&x, &y), scalar::squared_l2_i8(&x, &y), "{:?}", at);
            prop_assert_eq!((kernels.l1_i8)(&x, &y), scalar::l1_i8(&x, &y), "{:?}", at);
            prop_assert_eq!((kernels.hamming)(&u, &v), scalar::hamming(&u, &v), "{:?}", at);
        }
    }

    #[test]
    fn chosen_rows_give_what_each_gives_alone(blocks in 1..20usize, n in 1..9usize, seed: u64) {
        let (mut rng, len) = (Rng::new(seed), blocks * super::ROW_BLOCK);
        let (rows, code) = (bytes(&mut rng, n * len), bytes(&mut rng, len));
        let mut query = CodeQuery::default();
        query.set(len, |place| place.copy_from_slice(&code));
        let of: Vec<u32> = (0..20).map(|_| rng.below(n as u64) as u32).collect();
        let row = |i: &u32| &rows[*i as usize * len..][..len];
        for kernels in supported() {
            let mut found = vec![7.0];
            (kernels.dot_i8_rows)(&query, &rows, &of, &mut found);
            (kernels.l1_i8_rows)(&query, &rows, &of, &mut found);
            let dots = of.iter().map(|i| scalar::dot_i8(&code, row(i)) as f32);
            let distances = of.iter().map(|i| scalar::l1_i8(&code, row(i)) as f32);
            let expected: Vec<f32> = std::iter::once(7.0).chain(dots).chain(distances).collect();
            prop_assert_eq!(found, expected, "{}", kernels.name);
        }
    }

    #[test]
    fn rows_of_bits_give_the_sum_of_the_components_whose_bit_is_set(words in 1..20usize, n in 1..9usize, seed: u64) {
        let (mut rng, stride) = (Rng::new(seed), words * 8 + 12);
        let rows: Vec<u8> = (0..n * stride).map(|_| rng.next_u64() as u8).collect();
        let components: Vec<i8> = (0..words * WORD_BITS).map(|_| rng.below(16) as i8 - 8).collect();
        let mut query = BitQuery::default();
        query.set(&components, stride);
        let of: Vec<u32> = (0..20).map(|_| rng.below(n as u64) as u32).collect();
        let sum = |i: &u32| {
            let bit = |at: usize| rows[*i as usize * stride + at / 8] >> (at % 8) & 1;
            components.iter().enumerate().map(|(at, &x)| i32::from(x) * i32::from(bit(at))).sum::<i32>() as f32
        };
        let expected: Vec<f32> = of.iter().map(sum).collect();
        for kernels in supported() {
            let mut found = Vec::new();
            (kernels.dot_bits_rows)(&query, &rows, &of, &mut found);
            prop_assert_eq!(&found, &expected, "{}", kernels.name);
        }
    }
}

#[test]
fn the_largest_codes_and_components_do_not_overflow() {
    let (low, high) = (vec![-128i8; 65_536], vec![127i8; 65_536]);
    let (a, b) = (vec![1e15f32; 65_536], vec![-1e15f32; 65_536]);
    for kernels in supported() {
        assert_eq!((kernels.dot_i8)(&low, &low), 1 << 30);
        assert_eq!((kernels.squared_l2_i8)(&low, &high), 255 * 255 * 65_536);
        assert_eq!((kernels.l1_i8)(&low, &high), 255 * 65_536);
        assert!((kernels.squared_l2_f32)(&a, &b).is_finite());
    }
}

#[test]
fn what_answers_use_is_the_best_that_can_run() {
    assert_eq!(kernels().name, supported()[0].name);
    assert_eq!(supported().last().map(|kernels| kernels.name), Some("scalar"));
}

#[test]
#[should_panic(expected = "one dimension")]
fn different_dimensions_are_a_broken_invariant() {
    let _ = dot_f32(&[1.0], &[1.0, 2.0]);
}
