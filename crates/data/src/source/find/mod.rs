//! What kind of data a path holds, found by looking at it.

mod files;
mod listing;
mod nothing;
mod partners;
mod roles;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use n2n_files::{
    AxesFrom, Axis, CifarFile, NpyStack, PageStack, PictureFormat, Stack, ZarrStack, in_words,
    is_picture, is_stack, is_zarr, open_npz, open_torch, read_header,
};
use serde::{Deserialize, Serialize};

use self::listing::{Listing, has_extension, name, stem};
use self::nothing::{no_data, unknown_kind};
use self::partners::{Partners, Sure};
use super::joined::Joined;
use super::pictures::{Pictures, SceneFiles};
use super::stacks::{Burst, BurstStacks, Chain, PairedStacks};
use crate::{DataError, Pairing, SceneSource, Target};

/// File names of the reference's data.
pub(crate) const TRAIN_FILE: &str = "train_data.pkl";
const VALIDATION_FILE: &str = "val_data.pkl";

/// The folder in CIFAR-10's archive, and its files.
const CIFAR_FOLDER: &str = "cifar-10-batches-bin";
const CIFAR_TRAIN: &str = "data_batch_";
const CIFAR_VALIDATION: &str = "test_batch.bin";

/// Names of folders that are sets of their own.
const TRAIN_FOLDERS: [&str; 2] = ["train", "training"];
const VALIDATION_FOLDERS: [&str; 4] = ["val", "valid", "validation", "test"];

const TORCH: [&str; 3] = ["pkl", "pt", "pth"];

/// How the images of a folder belong together, for those that can be read in two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Files of one name in two folders are a noisy pair.
    Pairs,
    /// Each folder or stack is a scene, and any two of its images are a noisy pair.
    Bursts,
    /// Every image is clean.
    Clean,
}

/// What a path holds.
pub struct Found {
    /// In words.
    pub kind: String,
    /// Scenes to train on.
    pub train: Arc<dyn SceneSource>,
    /// Scenes to validate on, if the path says which.
    pub validation: Option<Arc<dyn SceneSource>>,
    /// Scenes and files that cannot be used, each with the reason.
    pub skipped: Vec<DataError>,
    /// Whether images are taken for clean only because nobody says what they are.
    pub guessed: bool,
}

/// How to look.
#[derive(Clone, Copy)]
pub struct Finder<'a> {
    /// What cannot be used is an error.
    pub strict: bool,
    /// How images belong together, where a person says it.
    pub layout: Option<Layout>,
    /// Who says what the axes of stacks are.
    pub axes: &'a AxesFrom,
    /// What the second of two tensors in a file of PyTorch is.
    pub second: Target,
    /// Channels of images, where a person says it: as many grey images in an array are then one image.
    pub channels: Option<usize>,
    /// How the shots of a scene become pairs.
    pub pairing: Pairing,
    /// Called now and then with the number of scenes looked at.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

impl Finder<'_> {
    /// Looks at a file or a folder.
    ///
    /// # Errors
    /// When it holds no data, data of more kinds than one, or damaged files.
    pub fn find(&self, path: &Path) -> Result<Found, DataError> {
        let metadata = std::fs::metadata(path).map_err(|source| DataError::Io {
            path: path.to_owned(),
            source,
        })?;
        if metadata.is_dir() && !is_zarr(path) {
            self.folder(&Listing::of(path)?)
        } else {
            self.file(path)
        }
    }

    /// Two folders, or two stacks, that are pairs whatever their names; with clean images in a third.
    ///
    /// # Errors
    /// When they hold no pairs, or damaged files.
    pub fn pairs(&self, shots: [&Path; 2], clean: Option<&Path>) -> Result<Found, DataError> {
        if shots[0].is_dir() && !is_zarr(shots[0]) {
            self.pair_folders(&shots, clean)
        } else {
            self.paired_stacks(&shots, clean)
        }
    }

    fn file(&self, path: &Path) -> Result<Found, DataError> {
        if has_extension(path, &TORCH) {
            return self.torch(path);
        }
        if has_extension(path, &["npz"]) {
            return self.npz(path);
        }
        if has_extension(path, &["bin"]) {
            return Ok(found("CIFAR-10, clean images", cifar(&[path.to_owned()])?));
        }
        if has_extension(path, &["npy"]) || is_paged(path) || is_zarr(path) {
            return self.burst_stacks(&[path.to_owned()]);
        }
        if is_picture(path) {
            return self.single_pictures(vec![path.to_owned()], false);
        }
        Err(unknown_kind(path))
    }

    fn folder(&self, listing: &Listing) -> Result<Found, DataError> {
        if listing.file(TRAIN_FILE).is_some() || listing.file(VALIDATION_FILE).is_some() {
            return self.reference(&listing.folder);
        }
        if let Some(train) = listing.folder(&TRAIN_FOLDERS) {
            return self.train_and_validation(train, listing.folder(&VALIDATION_FOLDERS));
        }
        if let Some(folder) = listing.folder(&[CIFAR_FOLDER]) {
            return cifar_folder(&Listing::of(folder)?);
        }
        if listing.file(CIFAR_VALIDATION).is_some() {
            return cifar_folder(listing);
        }
        let by_layout = match self.layout {
            Some(Layout::Bursts) => None,
            _ => self.folders_of_pairs(listing)?,
        };
        if let Some(found) = by_layout {
            return Ok(found);
        }
        if self.layout != Some(Layout::Clean) {
            if let Some(found) = self.stacks(listing)? {
                return Ok(found);
            }
            if let Some(found) = self.bursts(listing)? {
                return Ok(found);
            }
        }
        let pictures = listing.files.iter().filter(|path| is_picture(path));
        let pictures: Vec<PathBuf> = pictures.cloned().collect();
        if let Some(found) = self.partners(listing, &pictures, Sure::OfLetters)? {
            let kind = found.kind();
            return self.pictures(&kind, found.into_scenes(), true);
        }
        if pictures.is_empty() {
            return Err(no_data(listing));
        }
        self.single_pictures(pictures, roles::is_clean(&name(&listing.folder)))
    }

    /// Pictures without partners, which are clean for all that is known.
    fn single_pictures(&self, pictures: Vec<PathBuf>, are_clean: bool) -> Result<Found, DataError> {
        let mut found = self.pictures("clean images", files::clean(pictures), true)?;
        found.guessed = !are_clean && self.layout != Some(Layout::Clean);
        Ok(found)
    }

    fn reference(&self, folder: &Path) -> Result<Found, DataError> {
        let mut train = self.torch(&folder.join(TRAIN_FILE))?;
        let validation = folder.join(VALIDATION_FILE);
        if validation.exists() {
            let second = Target::Clean;
            train.validation = Some(Self { second, ..*self }.torch(&validation)?.train);
        }
        Ok(train)
    }

    fn train_and_validation(
        &self,
        train: &Path,
        validation: Option<&PathBuf>,
    ) -> Result<Found, DataError> {
        let mut found = self.find(train)?;
        if let Some(validation) = validation {
            let second = Target::Clean;
            let validation = Self { second, ..*self }.find(validation)?;
            found.validation = Some(validation.train);
            found.skipped.extend(validation.skipped);
        }
        Ok(found)
    }

    fn torch(&self, path: &Path) -> Result<Found, DataError> {
        let mut stacks: Vec<Box<dyn Stack>> = Vec::new();
        for stack in open_torch(path)? {
            stacks.push(Box::new(stack));
        }
        let has_clean = stacks.len() == 3 || self.second == Target::Clean;
        let clean = if has_clean { stacks.pop() } else { None };
        let kind = "pairs in a file of PyTorch";
        Ok(found(kind, PairedStacks::new(stacks, clean, true)?))
    }

    fn npz(&self, path: &Path) -> Result<Found, DataError> {
        if let AxesFrom::Given(axes) = self.axes {
            return Err(DataError::Config {
                key: "axes",
                value: axes.to_string(),
                expected: "unset for archives of arrays; save each array as .npy",
            });
        }
        let arrays = open_npz(path)?;
        let roles = roles::roles(arrays.iter().map(|(name, _)| name.as_str()));
        let count = arrays.len();
        let mut arrays: Vec<_> = arrays.into_iter().map(|(_, array)| Some(array)).collect();
        let mut take = |at: usize| -> Option<Box<dyn Stack>> {
            arrays[at].take().map(|array| Box::new(array) as _)
        };
        if let Some(roles) = roles {
            let shots = roles.shots.into_iter().filter_map(&mut take).collect();
            let clean = roles.clean.and_then(&mut take);
            return Ok(found(
                "pairs in arrays",
                PairedStacks::new(shots, clean, false)?,
            ));
        }
        match count {
            1 => {
                let least = match self.pairing {
                    Pairing::Subsample => 1,
                    _ => 2,
                };
                let burst = take(0).map(|stack| self.burst(stack, least)).transpose()?;
                Ok(found(
                    "a burst in an array",
                    BurstStacks::new(burst.into_iter().collect())?,
                ))
            }
            2 => {
                let shots = (0..2).filter_map(take).collect();
                Ok(found(
                    "pairs in arrays",
                    PairedStacks::new(shots, None, false)?,
                ))
            }
            _ => Err(DataError::UnknownArrays {
                path: path.to_owned(),
                count,
                names: roles::known(),
            }),
        }
    }

    /// Two folders with names of pairs, or, where nothing else can be meant, any two.
    fn folders_of_pairs(&self, listing: &Listing) -> Result<Option<Found>, DataError> {
        let names: Vec<String> = listing.folders.iter().map(|path| name(path)).collect();
        if let Some(roles) = roles::roles(names.iter().map(String::as_str)) {
            let folder = |at: usize| listing.folders[at].as_path();
            let shots: Vec<&Path> = roles.shots.iter().map(|&at| folder(at)).collect();
            return self.pair_folders(&shots, roles.clean.map(folder)).map(Some);
        }
        let (clean, shots): (Vec<_>, Vec<_>) = listing
            .folders
            .iter()
            .partition(|path| roles::is_clean(&name(path)));
        let [first, second] = shots[..] else {
            return Ok(None);
        };
        let clean = clean.first().map(|path| path.as_path());
        if self.layout == Some(Layout::Pairs) || clean.is_some() {
            return self.pair_folders(&[first, second], clean).map(Some);
        }
        if files::look_like_pairs(first, second) {
            return Err(DataError::PairsOrBursts {
                first: first.clone(),
                second: second.clone(),
            });
        }
        Ok(None)
    }

    fn pair_folders(&self, shots: &[&Path], clean: Option<&Path>) -> Result<Found, DataError> {
        let scenes = files::pairs(shots, clean)?;
        if scenes.0.is_empty() && scenes.1.is_empty() {
            return Err(no_data(&Listing::of(shots[0])?));
        }
        let kind = match (shots.len(), clean) {
            (1, _) => "noisy and clean images in two folders",
            (_, None) => "pairs in two folders",
            (_, Some(_)) => "pairs in two folders, with clean images",
        };
        self.pictures(kind, scenes, true)
    }

    /// Stacks in files of a folder: paired by their names, or each a burst.
    fn stacks(&self, listing: &Listing) -> Result<Option<Found>, DataError> {
        for extension in ["npz", "pkl"] {
            if let [file] = &listing.with_extension(&[extension])[..] {
                let found = self.file(file)?;
                return self
                    .beside(found, listing, std::slice::from_ref(file))
                    .map(Some);
            }
        }
        let mut stacks = listing.with_extension(&["npy"]);
        if stacks.is_empty() {
            let folders = listing.files.iter().filter(|path| is_zarr(path));
            stacks = folders.cloned().collect();
        }
        if stacks.is_empty() {
            let files = listing.files.iter().filter(|path| is_stack(path));
            stacks = files.cloned().collect();
            // A torn file says nothing of the others.
            let first = stacks.iter().find_map(|path| read_header(path).ok());
            if first.is_none_or(|header| header.pages < 2) {
                return Ok(None);
            }
        }
        let stems: Vec<String> = stacks.iter().map(|path| stem(path)).collect();
        let roles = roles::roles(stems.iter().map(String::as_str));
        let Some(roles) = roles.filter(|_| self.layout != Some(Layout::Bursts)) else {
            if let Some(partners) = self.partners(listing, &stacks, Sure::OfWords)? {
                let found = self.partner_stacks(partners)?;
                return self.beside(found, listing, &stacks).map(Some);
            }
            let found = self.burst_stacks(&stacks)?;
            return self.beside(found, listing, &stacks).map(Some);
        };
        let path = |at: usize| stacks[at].as_path();
        let shots: Vec<&Path> = roles.shots.iter().map(|&at| path(at)).collect();
        let clean = roles.clean.map(path);
        let used: Vec<PathBuf> = shots
            .iter()
            .copied()
            .chain(clean)
            .map(Path::to_owned)
            .collect();
        let found = self.paired_stacks(&shots, clean)?;
        self.beside(found, listing, &used).map(Some)
    }

    /// What was found in some files of a folder, beside which other images are left out.
    fn beside(
        &self,
        mut found: Found,
        listing: &Listing,
        used: &[PathBuf],
    ) -> Result<Found, DataError> {
        let is_image = |path: &&PathBuf| {
            is_picture(path)
                || has_extension(path, &["npy", "npz"])
                || has_extension(path, &TORCH)
                || is_zarr(path)
        };
        let others = listing.files.iter().filter(is_image);
        let others: Vec<_> = others.filter(|path| !used.contains(path)).collect();
        if let Some(first) = others.first() {
            let problem = DataError::OtherKind {
                folder: listing.folder.clone(),
                count: others.len(),
                first: (*first).clone(),
                kind: found.kind.clone(),
            };
            if self.strict {
                return Err(problem);
            }
            found.skipped.push(problem);
        }
        Ok(found)
    }

    /// Files of a folder that are pairs by their names, where they may be.
    fn partners(
        &self,
        listing: &Listing,
        files: &[PathBuf],
        sure: Sure,
    ) -> Result<Option<Partners>, DataError> {
        match self.layout {
            None => Partners::among(&listing.folder, files, sure),
            Some(Layout::Pairs) => Partners::among(&listing.folder, files, Sure::Said),
            Some(Layout::Bursts | Layout::Clean) => Ok(None),
        }
    }

    /// Stacks that are pairs by their names, each pair image by image.
    fn partner_stacks(&self, partners: Partners) -> Result<Found, DataError> {
        let kind = format!("{}, image by image", partners.kind());
        let (scenes, mut skipped) = (partners.scenes, partners.problems);
        let mut sources: Vec<PairedStacks> = Vec::new();
        let has_clean = scenes.iter().all(|scene| scene.clean.is_some());
        let mut first_kind = None;
        for SceneFiles { shots, clean } in scenes {
            let opened = shots.iter().map(|path| self.open_stack(path));
            let opened = opened.collect::<Result<Vec<_>, _>>().and_then(|shots| {
                let clean = clean.filter(|_| has_clean);
                let clean = clean.map(|path| self.open_stack(&path)).transpose()?;
                let kind = in_axes(&kind, &*shots[0]);
                let paired = PairedStacks::new(shots, clean, false)?;
                paired.check(sources.first())?;
                Ok((kind, paired))
            });
            match opened {
                Ok((kind, paired)) => {
                    first_kind.get_or_insert(kind);
                    sources.push(paired);
                }
                Err(problem) => skipped.push(problem),
            }
        }
        let Some(kind) = first_kind.filter(|_| !self.strict || skipped.is_empty()) else {
            return Err(skipped.swap_remove(0));
        };
        let sources = sources.into_iter().map(|source| Box::new(source) as _);
        let mut found = found(&kind, Joined::new(sources.collect()));
        found.skipped = skipped;
        Ok(found)
    }

    fn open_stack(&self, path: &Path) -> Result<Box<dyn Stack>, DataError> {
        if is_zarr(path) {
            return Ok(Box::new(ZarrStack::open_with(path, self.axes)?));
        }
        if is_paged(path) {
            return Ok(Box::new(PageStack::open_with(path, self.axes)?));
        }
        if has_extension(path, &["npy"]) {
            let stack = NpyStack::open_with(path, self.axes)?;
            return Ok(Box::new(match self.channels {
                None | Some(1 | 3) => stack,
                Some(channels) => stack.with_channels(channels),
            }));
        }
        Err(unknown_kind(path))
    }

    fn burst(&self, stack: Box<dyn Stack>, least: usize) -> Result<Burst, DataError> {
        Burst::new(stack, self.layout == Some(Layout::Bursts), least)
    }

    /// Looks for scenes of two shots or more; where there are none, or single shots are wanted, for those.
    fn shots<T>(&self, find: impl Fn(usize) -> Result<T, DataError>) -> Result<T, DataError> {
        if self.pairing == Pairing::Subsample {
            return find(1);
        }
        match find(2) {
            Err(DataError::SingleShot { .. }) if self.pairing == Pairing::Auto => find(1),
            found => found,
        }
    }

    fn paired_stacks(&self, shots: &[&Path], clean: Option<&Path>) -> Result<Found, DataError> {
        let shots = shots.iter().map(|path| self.open_stack(path));
        let shots = shots.collect::<Result<Vec<_>, _>>()?;
        let clean = clean.map(|path| self.open_stack(path)).transpose()?;
        let kind = in_axes("stacks paired image by image", &*shots[0]);
        Ok(found(&kind, PairedStacks::new(shots, clean, false)?))
    }

    fn burst_stacks(&self, paths: &[PathBuf]) -> Result<Found, DataError> {
        self.shots(|least| self.stacks_of_shots(paths, least))
    }

    fn stacks_of_shots(&self, paths: &[PathBuf], least: usize) -> Result<Found, DataError> {
        let (mut bursts, mut skipped): (Vec<Burst>, _) = (Vec::new(), Vec::new());
        for path in paths {
            let checked = self.open_stack(path).and_then(|stack| {
                let burst = self.burst(stack, least)?;
                BurstStacks::check(&burst, bursts.first())?;
                Ok(burst)
            });
            match checked {
                Ok(burst) => bursts.push(burst),
                Err(problem) => skipped.push(problem),
            }
        }
        if (self.strict || bursts.is_empty()) && !skipped.is_empty() {
            return Err(skipped.swap_remove(0));
        }
        let bursts = BurstStacks::new(bursts)?;
        let kind = match least {
            1 => "single shots in stacks",
            _ => "bursts in stacks",
        };
        let kind = in_axes(kind, bursts.first());
        let mut found = found(&kind, bursts);
        found.skipped = skipped;
        Ok(found)
    }

    fn bursts(&self, listing: &Listing) -> Result<Option<Found>, DataError> {
        self.shots(|least| {
            let scenes = files::bursts(&listing.folders, least)?;
            if scenes.0.is_empty() && scenes.1.is_empty() {
                return Ok(None);
            }
            let kind = match least {
                1 => "shots in folders",
                _ => "bursts in folders",
            };
            self.pictures(kind, scenes, false).map(Some)
        })
    }

    fn pictures(
        &self,
        kind: &str,
        (scenes, mut skipped): files::Scenes,
        ordered: bool,
    ) -> Result<Found, DataError> {
        if (self.strict || scenes.is_empty()) && !skipped.is_empty() {
            return Err(skipped.swap_remove(0));
        }
        let (pictures, unreadable) =
            Pictures::open(&scenes, ordered, self.strict, self.axes, self.progress)?;
        skipped.extend(unreadable);
        let mut found = found(kind, pictures);
        found.skipped = skipped;
        Ok(found)
    }
}

/// Whether the name of a file ends as that of a picture that may have pages.
fn is_paged(path: &Path) -> bool {
    PictureFormat::of_path(path).is_some_and(PictureFormat::has_pages)
}

fn found(kind: &str, source: impl SceneSource + 'static) -> Found {
    Found {
        kind: kind.to_owned(),
        train: Arc::new(source),
        validation: None,
        skipped: vec![],
        guessed: false,
    }
}

/// A kind of stacks, and what their axes are taken for where there are more than one.
fn in_axes(kind: &str, stack: &dyn Stack) -> String {
    let ([channels, ..], images) = (stack.shape(), stack.len());
    let mut axes = stack.image_axes();
    axes.retain(|(_, size)| *size > 1);
    let axes = match axes[..] {
        [] | [(Axis::Shot, _)] => String::new(),
        _ => format!(" ({})", in_words(&axes)),
    };
    match (channels, axes.as_str()) {
        (1, "") => kind.to_owned(),
        (1, _) => format!("{kind}, {images} images{axes} in the first"),
        _ => format!("{kind}, {images} images{axes} of {channels} channels in the first"),
    }
}

fn cifar(paths: &[PathBuf]) -> Result<PairedStacks, DataError> {
    let mut stacks: Vec<Box<dyn Stack>> = Vec::new();
    for path in paths {
        stacks.push(Box::new(CifarFile::open(path)?));
    }
    PairedStacks::new(vec![], Some(Box::new(Chain::new(stacks))), false)
}

fn cifar_folder(listing: &Listing) -> Result<Found, DataError> {
    let batches = listing.files.iter().filter(|path| {
        let name = name(path);
        name.starts_with(CIFAR_TRAIN) && name.ends_with(".bin")
    });
    let batches: Vec<PathBuf> = batches.cloned().collect();
    if batches.is_empty() {
        return Err(DataError::Empty {
            name: format!("{} ({CIFAR_TRAIN}1.bin)", listing.folder.display()),
        });
    }
    let mut found = found("CIFAR-10, clean images", cifar(&batches)?);
    if let Some(validation) = listing.file(CIFAR_VALIDATION) {
        found.validation = Some(Arc::new(cifar(std::slice::from_ref(validation))?));
    }
    Ok(found)
}
