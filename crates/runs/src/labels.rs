//! Names of runs by what differs in their settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::Run;

const SEED: &str = "train.seed";

/// Settings that change nothing that is learned.
const INDIFFERENT: [&str; 3] = ["data.cache_mb", "data.workers", "train.checkpoint_every"];

/// Not a setting, but it can tell runs apart.
const BACKEND: &str = "backend";

/// Chooses what else is in a table.
const KIND: &str = "kind";

const MINUTES: &str = "train.minutes";

/// The length of a run, which also follows from `train.minutes` and the machine's speed.
const MAX_IMAGES: &str = "train.max_images";

/// Length and validations of a run, and what ends it, which name a variant only where nothing else does: curves show
/// them.
const LENGTH: [&str; 8] = [
    MAX_IMAGES,
    "train.max_epochs",
    MINUTES,
    "train.max_minutes",
    "train.early_stop",
    "train.validate_every",
    "train.on_dead",
    "train.on_nan",
];

/// Where data are: of paths, a label has the end alone.
const PATHS: [&str; 3] = ["data.path", "data.clean", "data.validation"];

/// Smaller numbers are written with an exponent.
const SMALL: f64 = 1e-3;

/// Keys and values, each as TOML writes it.
type Settings = BTreeMap<String, String>;

/// Runs that are the same but for their seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// What differs from the other variants, such as `features 4, dropout 0.1`.
    pub label: String,
    /// Places of the runs in the list that they come from, in the order of their seeds.
    pub runs: Vec<usize>,
}

/// Returns the variants among runs, in the order of their first runs.
///
/// Settings that change nothing that is learned do not count, such as `data.workers`, nor does a number of images that
/// `train.minutes` came to. They do where two runs are the same otherwise, seed included; if they are the same in
/// these too, each is a variant and has the name of its folder.
///
/// A label has the last component of a key, that before it for `kind`, and the whole key where the last one stands for
/// two. Keys that follow from a `kind` are left out, and so is the length of the runs where the rest tells the variants
/// apart.
pub fn variants(runs: &[Run]) -> Vec<Variant> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for group in group(0..runs.len(), |run| settings_of_variant(&runs[run])) {
        if has_different_seeds(runs, &group) {
            groups.push(group);
            continue;
        }
        for group in self::group(group, |run| all_settings(&runs[run])) {
            if has_different_seeds(runs, &group) {
                groups.push(group);
            } else {
                groups.extend(group.into_iter().map(|run| vec![run]));
            }
        }
    }
    groups.sort_by_key(|group| group[0]);
    let labels = labels_of_groups(runs, &groups);
    let variants = groups.into_iter().zip(labels);
    let mut variants: Vec<Variant> = variants
        .map(|(runs, label)| Variant { label, runs })
        .collect();
    for variant in &mut variants {
        variant.runs.sort_by_key(|run| runs[*run].seed());
    }
    variants
}

/// Returns a name for each run: that of its variant, with the seed where the variant has several.
pub fn labels(runs: &[Run]) -> Vec<String> {
    let mut labels = vec![String::new(); runs.len()];
    let variants = variants(runs);
    for variant in &variants {
        for run in &variant.runs {
            let seed = format!("seed {}", runs[*run].seed());
            labels[*run] = match &variant.runs[..] {
                [_] => variant.label.clone(),
                _ if variants.len() == 1 => seed,
                _ => format!("{}, {seed}", variant.label),
            };
        }
    }
    labels
}

/// Places of the same key together, in the order of their first ones.
fn group(
    places: impl IntoIterator<Item = usize>,
    key: impl Fn(usize) -> Settings,
) -> Vec<Vec<usize>> {
    let mut groups: Vec<(Settings, Vec<usize>)> = Vec::new();
    for place in places {
        let key = key(place);
        match groups.iter_mut().find(|(found, _)| *found == key) {
            Some((_, group)) => group.push(place),
            None => groups.push((key, vec![place])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn has_different_seeds(runs: &[Run], group: &[usize]) -> bool {
    let seeds: BTreeSet<u64> = group.iter().map(|run| runs[*run].seed()).collect();
    seeds.len() == group.len()
}

/// All settings but the seed, and the backend.
fn all_settings(run: &Run) -> Settings {
    let mut settings = run.settings.clone();
    settings.remove(SEED);
    for value in settings.values_mut() {
        *value = short(value);
    }
    for key in PATHS {
        if let Some(value) = settings.get_mut(key) {
            // `photos/` is `photos`.
            let path: PathBuf = Path::new(value.as_str()).components().collect();
            *value = path.to_string_lossy().into_owned();
        }
    }
    if let Some(provenance) = &run.provenance {
        let backend = provenance.program.backend.clone();
        settings.insert(BACKEND.to_owned(), backend);
    }
    settings
}

/// Those that make a variant.
fn settings_of_variant(run: &Run) -> Settings {
    let mut settings = all_settings(run);
    settings.retain(|key, _| key != BACKEND && !INDIFFERENT.contains(&key.as_str()));
    if settings.contains_key(MINUTES) {
        settings.remove(MAX_IMAGES);
    }
    settings
}

/// A value without the quotes and the digits that it does not need.
fn short(value: &str) -> String {
    let is_float = value.contains(['.', 'e', 'E']);
    let Some(number) = value.parse::<f64>().ok().filter(|_| is_float) else {
        return value.trim_matches(['"', '\'']).to_owned();
    };
    // One of 32 bits, such as 0.1, has many digits as one of 64.
    let single = number as f32;
    match (
        f64::from(single) == number,
        number != 0.0 && number.abs() < SMALL,
    ) {
        (true, true) => format!("{single:e}"),
        (true, false) => single.to_string(),
        (false, true) => format!("{number:e}"),
        (false, false) => number.to_string(),
    }
}

/// The label of each group of runs.
fn labels_of_groups(runs: &[Run], groups: &[Vec<usize>]) -> Vec<String> {
    let first = |settings: fn(&Run) -> Settings| -> Vec<Settings> {
        groups
            .iter()
            .map(|group| settings(&runs[group[0]]))
            .collect()
    };
    let (variants, all) = (first(settings_of_variant), first(all_settings));
    let differing = differing(&variants);
    let (length, mut keys): (Vec<&str>, Vec<&str>) =
        differing.into_iter().partition(|key| LENGTH.contains(key));
    if !tells_apart(&variants, &keys) {
        keys.extend(length);
    }
    if !tells_apart(&variants, &keys) {
        let more = self::differing(&all).into_iter();
        let is_one = |key: &str, group: &Vec<usize>| {
            let values = group
                .iter()
                .map(|run| all_settings(&runs[*run]).remove(key));
            values.collect::<BTreeSet<_>>().len() == 1
        };
        keys.extend(more.filter(|key| groups.iter().all(|group| is_one(key, group))));
    }
    keys.sort_unstable();
    keys.dedup();
    let columns: Vec<Vec<String>> = keys.iter().map(|key| column(&all, key, &keys)).collect();
    let label = |group: usize| {
        let parts = columns.iter().map(|column| column[group].as_str());
        parts.collect::<Vec<_>>().join(", ")
    };
    let labels: Vec<String> = (0..groups.len()).map(label).collect();
    let folders = folders(runs, groups);
    let with_folder = |(label, folder): (&String, String)| match &label[..] {
        "" => folder,
        _ if labels.iter().filter(|other| *other == label).count() > 1 => {
            format!("{label} ({folder})")
        }
        label => label.to_owned(),
    };
    labels.iter().zip(folders).map(with_folder).collect()
}

/// The keys whose values differ, but for those that follow from a `kind` and are unset with another one.
fn differing(settings: &[Settings]) -> Vec<&str> {
    let differs = |key: &str| {
        let values = settings.iter().map(|one| one.get(key));
        values.collect::<BTreeSet<_>>().len() > 1
    };
    let follows = |key: &str| {
        let Some((table, name)) = key.rsplit_once('.') else {
            return false;
        };
        let kind = format!("{table}.{KIND}");
        let pairs = settings.iter().map(|one| (one.get(&kind), one.get(key)));
        let pairs: BTreeSet<_> = pairs.collect();
        let kinds: BTreeSet<_> = pairs.iter().map(|(kind, _)| kind).collect();
        let is_unset = pairs.iter().any(|(_, value)| value.is_none());
        name != KIND && kinds.len() > 1 && kinds.len() == pairs.len() && is_unset
    };
    let keys: BTreeSet<&str> = settings
        .iter()
        .flat_map(|one| one.keys().map(String::as_str))
        .collect();
    let keys = keys.into_iter();
    keys.filter(|key| differs(key) && !follows(key)).collect()
}

/// Whether no two have the same values of the keys.
fn tells_apart(settings: &[Settings], keys: &[&str]) -> bool {
    let values = settings
        .iter()
        .map(|one| keys.iter().map(|key| one.get(*key)).collect::<Vec<_>>());
    values.collect::<BTreeSet<_>>().len() == settings.len()
}

/// A key and its value in each label; `keys` are all that are in it.
fn column(settings: &[Settings], key: &str, keys: &[&str]) -> Vec<String> {
    let is_clear = keys.iter().filter(|other| name(other) == name(key)).count() == 1;
    let name = if is_clear { name(key) } else { key };
    let mut values: Vec<Option<String>> =
        settings.iter().map(|one| one.get(key).cloned()).collect();
    if PATHS.contains(&key) {
        let paths: Vec<&Path> = values.iter().flatten().map(Path::new).collect();
        let mut ends = ends(&paths).into_iter();
        values = values
            .iter()
            .map(|value| value.as_ref().and_then(|_| ends.next()))
            .collect();
    }
    values
        .into_iter()
        .map(|value| match value {
            Some(value) => format!("{name} {value}"),
            None => format!("no {name}"),
        })
        .collect()
}

/// The last component of a key; that before it for a `kind`.
fn name(key: &str) -> &str {
    let of_kind = key
        .strip_suffix(KIND)
        .and_then(|table| table.strip_suffix('.'));
    let key = of_kind.unwrap_or(key);
    key.rsplit_once('.').map_or(key, |(_, name)| name)
}

/// The name of the folder of each group: of several runs, that of the folder that they are in.
fn folders(runs: &[Run], groups: &[Vec<usize>]) -> Vec<String> {
    let paths: Vec<PathBuf> = groups
        .iter()
        .map(|group| {
            let path = &runs[group[0]].path;
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            match path.parent() {
                Some(parent) if group.len() > 1 && parent.file_name().is_some() => {
                    parent.to_owned()
                }
                _ => path,
            }
        })
        .collect();
    ends(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())
}

/// The ends of paths, of as many components as tell different ones apart.
fn ends(paths: &[&Path]) -> Vec<String> {
    let different = paths.iter().collect::<BTreeSet<_>>().len();
    let longest = paths.iter().map(|path| path.components().count()).max();
    let mut ends = Vec::new();
    for length in 1..=longest.unwrap_or(0) {
        ends = paths.iter().map(|path| end(path, length)).collect();
        if ends.iter().collect::<BTreeSet<_>>().len() == different {
            break;
        }
    }
    ends
}

/// The last components of a path.
fn end(path: &Path, length: usize) -> String {
    let skipped = path.components().count().saturating_sub(length);
    let end: PathBuf = path.components().skip(skipped).collect();
    end.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use n2n_data::ByScenes;
    use n2n_data::noise::{Level, NoiseConfig};
    use n2n_data::quality::Psnr;
    use n2n_model::NetworkConfig;
    use n2n_train::Experiment;
    use n2n_train::experiment::SchedulerConfig;

    use super::*;
    use crate::testing::{Folder, remove_keys};

    fn features(experiment: &mut Experiment, features: usize) {
        if let NetworkConfig::UNet(config) = &mut experiment.model {
            config.features = features;
        }
    }

    fn dropout(experiment: &mut Experiment, dropout: f64) {
        if let NetworkConfig::UNet(config) = &mut experiment.model {
            config.dropout = dropout;
        }
    }

    fn found(runs: &[Run]) -> Vec<(String, Vec<usize>)> {
        let variants = variants(runs).into_iter();
        variants.map(|one| (one.label, one.runs)).collect()
    }

    #[test]
    fn runs_are_named_by_what_differs() {
        let runs = Folder::runs(&[
            &|one| features(one, 4),
            &|one| {
                features(one, 4);
                one.train.seed = 1;
            },
            &|one| {
                dropout(one, 1e-4);
                one.train.ema = Some(0.999);
                // Nothing of these is learned, or it shows in a curve.
                one.data.workers = 3;
                one.train.max_images = Some(99);
            },
        ]);
        let [narrow, wide] = [
            "dropout 0, features 4, no ema",
            "dropout 1e-4, features 8, ema 0.999",
        ];
        assert_eq!(
            found(&runs),
            [(narrow.to_owned(), vec![0, 1]), (wide.to_owned(), vec![2])]
        );
        assert_eq!(
            labels(&runs),
            [
                format!("{narrow}, seed 0"),
                format!("{narrow}, seed 1"),
                wide.to_owned()
            ]
        );
    }

    #[test]
    fn members_of_a_variant_are_in_order_of_seeds() {
        let runs = Folder::runs(&[
            &|one| one.train.seed = 10,
            &|one| one.train.seed = 9,
            &|one| one.train.seed = 2,
        ]);
        let variants = variants(&runs);
        assert_eq!((variants.len(), &variants[0].runs[..]), (1, &[2, 1, 0][..]));
        assert_eq!(labels(&runs), ["seed 10", "seed 9", "seed 2"]);
        // In the folder of all three.
        let parent = runs[0].path.parent().unwrap().file_name().unwrap();
        assert_eq!(variants[0].label, parent.to_str().unwrap());
    }

    #[test]
    fn keys_that_follow_from_a_kind_are_left_out() {
        let runs = Folder::runs(&[
            &|one| one.train.scheduler = SchedulerConfig::Constant {},
            &|_| {},
            &|one| {
                one.noise = Some(NoiseConfig::Impulse {
                    p: Level::Fixed(0.5),
                })
            },
        ]);
        let labels = labels(&runs);
        assert_eq!(
            labels,
            [
                "no noise, scheduler constant",
                "no noise, scheduler plateau",
                "noise impulse, scheduler plateau"
            ]
        );
    }

    #[test]
    fn keys_of_one_name_are_written_out() {
        let runs = Folder::runs(&[&|_| {}, &|one| {
            one.train.scheduler = SchedulerConfig::Constant {};
            one.data.augment.zoom = ByScenes::Fixed(2.0);
            one.data.scenes.zoom = [0.5, 3.0];
        }]);
        let labels = labels(&runs);
        assert_eq!(
            labels[1],
            "data.augment.zoom 2, data.scenes.zoom [0.5, 3.0], scheduler constant"
        );
    }

    #[test]
    fn lengths_name_runs_where_nothing_else_does() {
        let runs = Folder::runs(&[&|one| one.train.max_images = Some(50_000), &|one| {
            one.train.max_images = Some(150_000)
        }]);
        assert_eq!(labels(&runs), ["max_images 50000", "max_images 150000"]);
        // What minutes came to depends on the machine.
        let timed = |images, seed| {
            move |one: &mut Experiment| {
                (one.train.minutes, one.train.seed) = (Some(5.0), seed);
                one.train.max_images = Some(images);
            }
        };
        let runs = Folder::runs(&[&timed(1000, 0), &timed(1100, 1)]);
        assert_eq!(variants(&runs).len(), 1);
        let runs = Folder::runs(&[&timed(1000, 0), &timed(1100, 0)]);
        assert_eq!(labels(&runs), ["max_images 1000", "max_images 1100"]);
    }

    #[test]
    fn equal_runs_are_told_apart_by_their_folders() {
        let (one, other) = (Folder::new(), Folder::new());
        let write = |folder: &Folder, name: &str| {
            let psnr = [Psnr::Measured(20.0)];
            folder.write(name, &Experiment::on_scenes(), psnr)
        };
        let paths = [write(&one, "a"), write(&one, "b"), write(&other, "b")];
        // A key that an earlier version did not know has its present default.
        remove_keys(&paths[1], &["ema = ", "on_dead = "]);
        let read = |paths: &[&PathBuf]| -> Vec<Run> {
            paths.iter().map(|path| Run::read(path).unwrap()).collect()
        };
        assert_eq!(labels(&read(&[&paths[0], &paths[1]])), ["a", "b"]);
        assert_eq!(labels(&read(&[&paths[0]])), ["a"]);
        let longer = labels(&read(&[&paths[1], &paths[2]]));
        let parent = other.path().file_name().unwrap().to_str().unwrap();
        assert_eq!(longer[1], format!("{parent}/b"));
    }

    #[test]
    fn of_paths_labels_have_the_end() {
        let of = |path: &str| {
            let path = path.to_owned();
            move |one: &mut Experiment| one.data.path = Some(path.clone().into())
        };
        let runs = Folder::runs(&[&of("a/photos"), &of("b/photos"), &of("a/photos/"), &|_| {}]);
        assert_eq!(
            labels(&runs),
            [
                "path a/photos (a)",
                "path b/photos",
                "path a/photos (c)",
                "no path"
            ]
        );
    }
}
