//! Files of one folder that are pairs by their names: `cell_01_noisy1.png` and `cell_01_noisy2.png`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::files::Scenes;
use super::listing::{name, stem};
use super::roles::{CLEAN, PAIRS};
use crate::DataError;
use crate::source::pictures::SceneFiles;

/// Words that letter files as often as they tell the two of a pair apart.
const WEAK: [[&str; 2]; 6] = [
    ["a", "b"],
    ["first", "second"],
    ["input", "target"],
    ["inputs", "targets"],
    ["source", "target"],
    ["noisy_input", "noisy_target"],
];

/// What stands before and after such a word.
const SEPARATORS: [char; 4] = ['_', '-', '.', ' '];

/// What makes sure that files are pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sure {
    /// A person says that there are pairs; other files beside them do not matter.
    Said,
    /// Letters, where all files have them, and words.
    OfLetters,
    /// Words: images could belong together otherwise.
    OfWords,
}

/// Files that are pairs by their names, and others beside them.
#[derive(Debug)]
pub(super) struct Partners {
    /// Each with two shots.
    pub scenes: Vec<SceneFiles>,
    /// Why others are in none.
    pub problems: Vec<DataError>,
}

impl Partners {
    /// Looks for pairs among the files of a folder, as far as it is [`Sure`].
    ///
    /// # Errors
    /// When some files are pairs by their names, and too many others are not: a person must say what is meant.
    pub fn among(folder: &Path, files: &[PathBuf], sure: Sure) -> Result<Option<Self>, DataError> {
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        let mut others = Vec::new();
        for path in files {
            match Word::of(&stem(path)) {
                Some(word) if !word.weak || sure != Sure::OfWords => groups
                    .entry(word.rest)
                    .or_default()
                    .files
                    .push((word.role, word.weak, path.clone())),
                _ => others.push(path.clone()),
            }
        }
        let mut found = Self {
            scenes: vec![],
            problems: vec![],
        };
        let has_unnamed = !others.is_empty();
        let (mut used, mut weak) = (0, true);
        for group in groups.into_values() {
            match group.scene() {
                Ok((scene, is_weak)) => {
                    used += scene.all().count();
                    weak &= is_weak;
                    found.scenes.push(scene);
                }
                Err(unpaired) => others.extend(unpaired),
            }
        }
        let Some(SceneFiles { shots, .. }) = found.scenes.first() else {
            return Ok(None);
        };
        let is_most = 2 * used >= files.len();
        let is_meant = sure == Sure::Said || is_most && !(weak && has_unnamed);
        if !is_meant && !is_most && weak {
            return Ok(None);
        }
        if !is_meant {
            return Err(DataError::PairsAmongOthers {
                folder: folder.to_owned(),
                first: name(&shots[0]),
                second: name(&shots[1]),
                used,
                count: files.len(),
            });
        }
        others.sort();
        let unpaired = others.into_iter().map(|path| DataError::Unpaired { path });
        found.problems.extend(unpaired);
        Ok(Some(found))
    }

    /// The scenes, and what keeps others from being scenes. Clean images are used where every scene has one.
    pub fn into_scenes(mut self) -> Scenes {
        if self.scenes.iter().any(|scene| scene.clean.is_none()) {
            self.scenes.iter_mut().for_each(|scene| scene.clean = None);
        }
        (self.scenes, self.problems)
    }

    /// In words: the first pair, and how many more there are.
    pub fn kind(&self) -> String {
        let first = &self.scenes[0];
        let mut kind = format!(
            "pairs by name: {} + {}",
            name(&first.shots[0]),
            name(&first.shots[1])
        );
        if let Some(clean) = &first.clean {
            kind += &format!(", clean {}", name(clean));
        }
        match self.scenes.len() - 1 {
            0 => kind,
            more => format!("{kind} and {more} more"),
        }
    }
}

/// Files whose names differ in one word.
#[derive(Default)]
struct Group {
    files: Vec<(Role, bool, PathBuf)>,
}

impl Group {
    /// A pair, and whether its words are weak; or the files, where they are none.
    fn scene(self) -> Result<(SceneFiles, bool), Vec<PathBuf>> {
        let mut scene = SceneFiles::default();
        let weak = self.files.iter().any(|(_, weak, _)| *weak);
        let mut shots: Vec<(&'static str, &PathBuf)> = vec![];
        let all = || -> Vec<PathBuf> { self.files.iter().map(|(.., path)| path.clone()).collect() };
        for (role, _, path) in &self.files {
            match role {
                Role::Shot(word) => shots.push((*word, path)),
                Role::Clean if scene.clean.is_none() => scene.clean = Some(path.clone()),
                Role::Clean => return Err(all()),
            }
        }
        let [(word, first), (other, second)] = shots[..] else {
            return Err(all());
        };
        let files = if PAIRS.contains(&[word, other]) {
            [first, second]
        } else if PAIRS.contains(&[other, word]) {
            [second, first]
        } else {
            return Err(all());
        };
        scene.shots = files.map(PathBuf::clone).to_vec();
        Ok((scene, weak))
    }
}

/// What a word says of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// It is noisy: a word of [`PAIRS`].
    Shot(&'static str),
    /// It has no noise.
    Clean,
}

/// The word of a file name that tells it from its partner.
#[derive(Debug, PartialEq)]
struct Word {
    role: Role,
    weak: bool,
    /// The name without it.
    rest: String,
}

impl Word {
    /// The longest such word of a name without extension. A weak one is its end.
    fn of(stem: &str) -> Option<Self> {
        let lower = stem.to_ascii_lowercase();
        let is_weak = |word| WEAK.as_flattened().contains(&word);
        let shots = PAIRS.as_flattened().iter();
        let shots = shots.map(|word| (*word, Role::Shot(word), is_weak(word)));
        let clean = CLEAN.iter().map(|word| (*word, Role::Clean, false));
        let places = shots.chain(clean).filter_map(|(word, role, weak)| {
            let place = place(&lower, word)?;
            let is_end = place + word.len() == lower.len() && place > 0;
            (is_end || !weak).then_some((word, role, weak, place))
        });
        let (word, role, weak, place) = places.max_by_key(|(word, ..)| word.len())?;
        let rest = format!("{}\0{}", &stem[..place], &stem[place + word.len()..]);
        Some(Self { role, weak, rest })
    }
}

/// The last place of a word that stands between separators.
fn place(text: &str, word: &str) -> Option<usize> {
    let places = text.rmatch_indices(word).map(|(place, _)| place);
    places.into_iter().find(|place| {
        let before = text[..*place].chars().next_back();
        let after = text[place + word.len()..].chars().next();
        let is_edge = |character: Option<char>| character.is_none_or(|c| SEPARATORS.contains(&c));
        is_edge(before) && is_edge(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(names: &[&str]) -> Result<Option<Partners>, DataError> {
        let files: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        Partners::among(Path::new("folder"), &files, Sure::OfLetters)
    }

    /// The names of the images of each scene.
    fn scenes(names: &[&str]) -> Vec<Vec<String>> {
        let found = among(names).unwrap().expect("pairs");
        let scenes = found.scenes.iter();
        scenes
            .map(|scene| scene.all().map(|path| name(path)).collect())
            .collect()
    }

    #[test]
    fn names_that_differ_in_a_word_are_pairs() {
        for [first, second] in [
            ["cell_00_noisy1.png", "cell_00_noisy2.png"],
            ["tomo_EVN.npy", "tomo_ODD.npy"],
            ["scan-even.mrc", "scan-odd.mrc"],
            ["x.half_1.tif", "x.half_2.tif"],
            [
                "run_half1_class001_unfil.mrc",
                "run_half2_class001_unfil.mrc",
            ],
            ["photo_a.png", "photo_b.jpg"],
            ["even.png", "odd.png"],
        ] {
            assert_eq!(scenes(&[second, first]), [[first, second]]);
        }
        let with_clean = ["1_a.png", "1_b.png", "1_clean.png"];
        assert_eq!(scenes(&with_clean), [with_clean]);
    }

    #[test]
    fn letters_and_other_names_are_no_pairs() {
        for names in [
            &["a.png", "b.png"][..],
            &["1.png", "2.png", "10.png"],
            &["holiday.png", "everyday.png"],
            &["x_a.png", "x_b.png", "x_c.png", "x_d.png", "x_e.png"],
            &["cell_00_noisy1.png", "cell_01_noisy2.png"],
        ] {
            assert!(among(names).unwrap().is_none(), "{names:?}");
        }
    }

    #[test]
    fn letters_tell_stacks_apart_where_a_person_says_so() {
        let files = ["x_a.tif", "x_b.tif"].map(PathBuf::from);
        let among = |sure| Partners::among(Path::new("folder"), &files, sure).unwrap();
        assert!(among(Sure::OfWords).is_none());
        assert!(among(Sure::Said).is_some());
    }

    #[test]
    fn files_beside_pairs_are_told_or_asked_about() {
        let names = ["1_even.png", "1_odd.png", "2_even.png", "notes.png"];
        let found = among(&names).unwrap().unwrap();
        assert_eq!((found.scenes.len(), found.problems.len()), (1, 2));
        assert!(found.problems[0].to_string().contains("2_even.png"));
        for names in [
            &["x_a.png", "x_b.png", "x_c.png"][..],
            &["1_even.png", "1_odd.png", "2.png", "3.png", "4.png"],
        ] {
            let error = among(names).unwrap_err().to_string();
            assert!(error.contains("data.layout"), "{error}");
        }
    }

    #[test]
    fn the_kind_names_the_first_pair() {
        let names = ["2_a.png", "2_b.png", "1_a.png", "1_b.png"];
        let kind = among(&names).unwrap().unwrap().kind();
        assert_eq!(kind, "pairs by name: 1_a.png + 1_b.png and 1 more");
    }
}
