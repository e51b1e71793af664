//! What holds for every image: shapes, masks, extremes.

use super::*;

fn noisy(noise: &str, image: &[f32], shape: [usize; 3]) -> Corrupted {
    let mut rng = rng(SEED, 0, 0, Member::First);
    model(noise).corrupt(image, shape, &mut rng)
}

#[test]
fn noise_keeps_shape_and_bernoulli_has_a_mask() {
    for shape in [
        [1, 1, 1],
        [3, 1, 7],
        [4, 9, 2],
        [3, 40, 20],
        [3, 0, 5],
        [0, 2, 2],
    ] {
        let image = uneven(shape);
        for noise in ALL {
            let model = model(noise);
            let output = model.output_shape(shape);
            let expected = match noise {
                "points:2" => [shape[0], shape[1] / 2, shape[2] / 2],
                _ => shape,
            };
            assert_eq!(output, expected, "{noise}");
            let len = output.iter().product::<usize>();
            let noisy = noisy(noise, &image, shape);
            assert_eq!(noisy.values.len(), len, "{noise} {shape:?}");
            assert_eq!(model.clean(&image, shape).len(), len, "{noise} {shape:?}");
            assert_eq!(noisy.mask.is_some(), noise == "bernoulli:0.5");
            assert!(
                noisy.values.iter().all(|value| value.is_finite()),
                "{noise}"
            );
        }
    }
}

#[test]
fn no_noise_leaves_the_image() {
    let shape = [3, 6, 10];
    let image = uneven(shape);
    for noise in [
        "gaussian:0",
        "speckle:0",
        "brown:0",
        "bernoulli:0",
        "impulse:0",
    ]
    .into_iter()
    .chain(["salt_pepper:0", "text:0", "points:1"])
    {
        assert_eq!(noisy(noise, &image, shape).values, image, "{noise}");
        assert_eq!(*model(noise).clean(&image, shape), image, "{noise}");
    }
}

#[test]
fn mask_is_what_was_lost_in_every_channel() {
    let shape = [3, 6, 10];
    let image: Vec<f32> = uneven(shape).iter().map(|value| value + 0.5).collect();
    let noisy = noisy("bernoulli:0.4", &image, shape);
    let mask = noisy.mask.unwrap();
    assert_eq!(mask.len(), 60);
    assert!(mask.contains(&0.0) && mask.contains(&1.0), "seed {SEED}");
    for (i, value) in noisy.values.iter().enumerate() {
        assert!(*value == mask[i % 60] * image[i]);
    }
}

#[test]
fn clipping_changes_only_values_outside_0_and_1() {
    let shape = [3, 6, 10];
    let image = uneven(shape);
    for noise in [
        "gaussian:90",
        "poisson:2",
        "poisson_gaussian:2,90",
        "speckle:2",
        "brown:90",
    ] {
        let free = noisy(noise, &image, shape).values;
        let clipped = noisy(&format!("{noise},clip"), &image, shape).values;
        assert!(free.iter().any(|value| *value > 1.0), "{noise}");
        for (free, clipped) in free.iter().zip(clipped) {
            assert_eq!(free.clamp(0.0, 1.0), clipped, "{noise}");
        }
    }
}

#[test]
fn clipping_keeps_shape_mask_and_clean_image() {
    let shape = [2, 5, 7];
    let image: Vec<f32> = uneven(shape).iter().map(|value| value + 0.5).collect();
    let mut rng = rng(SEED, 0, 0, Member::First);
    let points = Clipped::new(Points::new(2).unwrap());
    assert_eq!(points.output_shape(shape), [2, 2, 3]);
    assert_eq!(
        points.clean(&image, shape),
        model("points:2").clean(&image, shape)
    );
    let lost = Clipped::new(Bernoulli::new(0.5.into()).unwrap());
    let expected = noisy("bernoulli:0.5", &image, shape).mask;
    assert_eq!(lost.corrupt(&image, shape, &mut rng).mask, expected);
}

#[test]
fn point_is_one_pixel_and_clean_is_the_mean() {
    // 2 x 3 areas of 3 x 3 pixels, and a line and a column too many. Every value is another.
    let (shape, factor) = ([2, 7, 10], 3);
    let image: Vec<f32> = (0..140).map(|i| i as f32).collect();
    let model = model("points:3");
    assert_eq!(model.output_shape(shape), [2, 2, 3]);
    let noisy = noisy("points:3", &image, shape).values;
    let clean = model.clean(&image, shape);
    for pixel in 0..12 {
        let (channel, row, column) = (pixel / 6, pixel % 6 / 3, pixel % 3);
        let corner = channel * 70 + row * factor * 10 + column * factor;
        let middle = corner + 10 + 1;
        assert_eq!(clean[pixel], middle as f32, "mean of an even slope");
        let offset = noisy[pixel] as usize - corner;
        assert!(offset / 10 < factor && offset % 10 < factor, "{offset}");
        // Channels show the same point.
        assert_eq!(noisy[pixel % 6] + (70 * channel) as f32, noisy[pixel]);
    }
}

#[test]
fn image_of_another_shape_panics_with_both_sizes() {
    for noise in ["gaussian:25", "text:0.25", "points:2"] {
        let result = std::panic::catch_unwind(|| noisy(noise, &[0.0; 11], [1, 3, 4]));
        let message = *result.unwrap_err().downcast::<String>().unwrap();
        assert!(
            message.contains("11") && message.contains("12"),
            "{message}"
        );
    }
}
