//! The two ways to write a noise down.

use super::*;

fn config(text: &str) -> NoiseConfig {
    text.parse().unwrap()
}

#[test]
fn short_forms_are_read_and_written() {
    let forms = [
        ("gaussian:25", r#"{"kind":"gaussian","sigma_255":25}"#),
        (
            "gaussian:5..50",
            r#"{"kind":"gaussian","sigma_255":[5,50]}"#,
        ),
        (
            "gaussian:2.5,clip",
            r#"{"kind":"gaussian","sigma_255":2.5,"clip":true}"#,
        ),
        ("poisson:30", r#"{"kind":"poisson","peak":30}"#),
        (
            "poisson_gaussian:30,0..5.5",
            r#"{"kind":"poisson_gaussian","peak":30,"sigma_255":[0,5.5]}"#,
        ),
        ("bernoulli:0.5", r#"{"kind":"bernoulli","p":0.5}"#),
        ("impulse:0..0.95", r#"{"kind":"impulse","p":[0,0.95]}"#),
        ("salt_pepper:0.1", r#"{"kind":"salt_pepper","p":0.1}"#),
        ("text:0.25", r#"{"kind":"text","p":0.25}"#),
        (
            "text:0.25,antialias",
            r#"{"kind":"text","p":0.25,"antialias":true}"#,
        ),
        ("speckle:0.1", r#"{"kind":"speckle","sigma":0.1}"#),
        ("brown:25", r#"{"kind":"brown","sigma_255":25}"#),
        (
            "brown:25,3.5,clip",
            r#"{"kind":"brown","sigma_255":25,"blur_px":3.5,"clip":true}"#,
        ),
        ("points:8", r#"{"kind":"points"}"#),
        ("points:3", r#"{"kind":"points","factor":3}"#),
    ];
    for (text, table) in forms {
        let config = config(text);
        assert_eq!(config.to_string(), text);
        assert_eq!(config, serde_json::from_str(table).unwrap(), "{text}");
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(config, serde_json::from_str(&written).unwrap(), "{written}");
    }
    assert_eq!(config("points"), config("points:8"));
    assert_eq!(config("brown:25,2"), config("brown:25"));
    assert_eq!(
        config(" poisson_gaussian : 30, 5 ..9, clip "),
        config("poisson_gaussian:30,5..9,clip")
    );
}

#[test]
fn what_is_no_noise_is_told_every_form() {
    for text in [
        "",
        "gauss:25",
        "gaussian",
        "gaussian:",
        "gaussian:x",
        "gaussian:5..",
        "gaussian:5..x",
        "gaussian:25,3",
        "gaussian:25,",
        "gaussian:25,antialias",
        "text:0.1,clip",
        "bernoulli:0.1,clip",
        "poisson_gaussian:30",
        "brown:25,2,2",
        "brown:25,1..2",
        "points:1.5",
        "points:-1",
        "points,clip",
    ] {
        let error = text.parse::<NoiseConfig>().unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, NoiseError::Form { .. }), "{message}");
        assert!(
            message.starts_with(&format!("{text:?} is not a noise")),
            "{message}"
        );
        for noise in ALL {
            let kind = noise.split_once(':').unwrap().0;
            assert!(message.contains(&format!("{kind}:")), "{kind}: {message}");
        }
    }
}

#[test]
fn number_out_of_range_is_named() {
    for (text, message) in [
        (
            "gaussian:-1",
            "noise.sigma_255 is -1, but must be at least 0",
        ),
        (
            "gaussian:inf",
            "noise.sigma_255 is inf, but must be at least 0",
        ),
        (
            "gaussian:0..NaN",
            "noise.sigma_255 is NaN, but must be at least 0",
        ),
        (
            "poisson:0",
            "noise.peak is 0, but must be above 0 and at most 1e9",
        ),
        (
            "poisson:1..2e9",
            "noise.peak is 2000000000, but must be above 0 and at most 1e9",
        ),
        (
            "poisson_gaussian:30,-2",
            "noise.sigma_255 is -2, but must be at least 0",
        ),
        (
            "speckle:-0.1",
            "noise.sigma is -0.1, but must be at least 0",
        ),
        (
            "brown:25,0",
            "noise.blur_px is 0, but must be above 0 and at most 64",
        ),
        ("brown:-1", "noise.sigma_255 is -1, but must be at least 0"),
        (
            "bernoulli:1",
            "noise.p is 1, but must be at least 0 and below 1",
        ),
        (
            "impulse:-0.5",
            "noise.p is -0.5, but must be at least 0 and below 1",
        ),
        (
            "salt_pepper:1.5",
            "noise.p is 1.5, but must be at least 0 and below 1",
        ),
        (
            "text:0.99",
            "noise.p is 0.99, but must be at least 0 and at most 0.95",
        ),
        ("points:0", "noise.factor is 0, but must be from 1 to 1024"),
        (
            "points:2000",
            "noise.factor is 2000, but must be from 1 to 1024",
        ),
        (
            "impulse:0.9..0.1",
            "noise.p is 0.9..0.1, but a range must begin with its lower end",
        ),
    ] {
        assert_eq!(
            text.parse::<NoiseConfig>().unwrap_err().to_string(),
            message
        );
    }
    let table = r#"{"kind":"text","p":[0.2,0.1]}"#;
    let config: NoiseConfig = serde_json::from_str(table).unwrap();
    assert!(matches!(
        config.validate(),
        Err(NoiseError::Reversed { key: "p", .. })
    ));
}

#[test]
fn wrong_table_is_refused_with_what_is_expected() {
    for (table, expected) in [
        (r#"{"kind":"gauss","sigma_255":25}"#, "`gaussian`"),
        (
            r#"{"kind":"gaussian","sigma":25}"#,
            "unknown field `sigma`, expected `sigma_255` or `clip`",
        ),
        (r#"{"kind":"gaussian"}"#, "missing field `sigma_255`"),
        (
            r#"{"kind":"gaussian","sigma_255":"25"}"#,
            "expected a number, or a range like [5, 50]",
        ),
        (
            r#"{"kind":"gaussian","sigma_255":[1,2,3]}"#,
            "invalid length 3, expected a number, or a range",
        ),
        (
            r#"{"kind":"bernoulli","p":0.5,"clip":true}"#,
            "unknown field `clip`",
        ),
        (r#"{"sigma_255":25}"#, "missing field `kind`"),
    ] {
        let error = serde_json::from_str::<NoiseConfig>(table).unwrap_err();
        assert!(error.to_string().contains(expected), "{table}: {error}");
    }
}
