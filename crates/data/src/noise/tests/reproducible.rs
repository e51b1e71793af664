//! The same arguments give the same bits, and other arguments others.

use rand::Rng;

use super::*;

const SHAPE: [usize; 3] = [3, 12, 20];

#[test]
fn noisy_image_is_a_function_of_its_key() {
    let image = uneven(SHAPE);
    for noise in ALL {
        let model = model(noise);
        let noisy = |[seed, epoch, index]: [u64; 3], member| {
            model.corrupt(&image, SHAPE, &mut rng(seed, epoch, index, member))
        };
        let first = noisy([1, 2, 3], Member::First);
        assert_eq!(first, noisy([1, 2, 3], Member::First), "{noise}");
        assert_ne!(first, noisy([1, 2, 3], Member::Second), "{noise}");
        // Also where the same numbers are in other places.
        for other in [
            [9, 2, 3],
            [1, 9, 3],
            [1, 2, 9],
            [2, 1, 3],
            [1, 3, 2],
            [3, 2, 1],
        ] {
            assert_ne!(first, noisy(other, Member::First), "{noise} {other:?}");
        }
    }
}

#[test]
fn streams_are_chacha8_with_arguments_as_key() {
    for stream in &FIXTURE.streams {
        let [seed, epoch, index, member] = stream.key;
        let member = [Member::First, Member::Second][member as usize];
        let mut rng = rng(seed, epoch, index, member);
        let words: Vec<u64> = stream.words.iter().map(|_| rng.next_u64()).collect();
        assert_eq!(words, stream.words, "{:?}", stream.key);
    }
}
