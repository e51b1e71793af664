//! Which array of a folder holds its images, and what its axes are.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::{
    array::Array,
    axes::{are_of_images, by_sizes, named},
    json::{Json, has, shown},
    v2, v3,
};
use crate::{Axis, FileError, input::unsupported};

/// The metadata of version 3.
pub(crate) const V3: &str = "zarr.json";
/// The metadata of an array, of a group and what is said of either, of version 2.
pub(crate) const ARRAY: &str = ".zarray";
pub(crate) const GROUP: &str = ".zgroup";
pub(crate) const SAID: &str = ".zattrs";

/// What to do about folders that hold no image.
const NO_IMAGE: &str = "give the folder of one image or of one array in it";

/// The images of a folder.
pub(crate) struct Found {
    pub array: Array,
    /// The array's folder within the one that was given; empty where this is the array.
    pub place: PathBuf,
    /// Axes of the array, in its order.
    pub axes: Vec<Axis>,
    /// The folder of the group whose metadata name the array, within the one that was given.
    pub group: Option<PathBuf>,
    /// What else the metadata name, in words.
    pub beside: Vec<String>,
}

/// Whether a folder is one of Zarr.
pub fn is_zarr(folder: &Path) -> bool {
    [V3, ARRAY, GROUP, SAID]
        .iter()
        .any(|name| has(folder, name))
}

/// Finds the images of a folder: of an OME-Zarr those of full size, else those of its array.
pub(super) fn find(folder: &Path) -> Result<Found, FileError> {
    if let Some((array, json)) = open_array(folder)? {
        let axes = named_axes(&json, folder)?;
        let axes = axes.or_else(|| by_sizes(&array.shape));
        return Ok(Found {
            axes: axes.ok_or_else(|| other_axes(&array, folder))?,
            array,
            place: PathBuf::new(),
            group: None,
            beside: vec![],
        });
    }
    let Some(json) = said_of(folder)? else {
        let found = "neither zarr.json nor .zarray nor .zattrs";
        return Err(unsupported(folder, found, "give a folder of Zarr"));
    };
    match multiscales(&json) {
        Some(images) => of_group(folder, PathBuf::new(), &json, images),
        // Bio-Formats puts each of a file's series into a folder of its number.
        None if is_series(&json) => {
            if folder.join("1").is_dir() {
                let way_out = "give the folder of one of them, which is called by its number";
                return Err(unsupported(folder, "several series of images", way_out));
            }
            let series = said_of(&folder.join("0"))?;
            let images = series.as_ref().and_then(multiscales);
            match series.as_ref().zip(images) {
                Some((json, images)) => of_group(folder, PathBuf::from("0"), json, images),
                None => Err(unsupported(folder, "series without an image", NO_IMAGE)),
            }
        }
        None => Err(unsupported(
            folder,
            "a group of Zarr without an image",
            NO_IMAGE,
        )),
    }
}

/// The images that the metadata of a group name.
fn of_group(
    folder: &Path,
    group: PathBuf,
    json: &Json,
    images: &[Value],
) -> Result<Found, FileError> {
    let first = &images[0];
    let levels = first.get("datasets").and_then(Value::as_array);
    let path = levels.and_then(|levels| levels.first()?.get("path")?.as_str());
    let path = path.ok_or_else(|| json.malformed("its multiscales name no array"))?;
    let is_below = |path: &Path| {
        let mut parts = path.components();
        parts.all(|part| matches!(part, Component::Normal(_)))
    };
    if !is_below(Path::new(path)) {
        let found = format!("its multiscales name the place {path}, outside of it");
        return Err(json.malformed(found));
    }
    let place = group.join(path);
    let Some((array, _)) = open_array(&folder.join(&place))? else {
        return Err(json.malformed(format!("there is no array in {path}, which it names")));
    };
    let axes = match first.get("axes").and_then(Value::as_array) {
        Some(axes) => {
            let axis = |axis: &Value| {
                let text = |key| axis.get(key).and_then(Value::as_str);
                let name = axis.as_str().or_else(|| text("name")).unwrap_or_default();
                named(name, text("type")).ok_or_else(|| {
                    let found = format!("an axis {}", shown(axis));
                    json.unsupported(found, "save it with the axes t, c, z, y and x")
                })
            };
            let axes = axes.iter().map(axis).collect::<Result<Vec<_>, _>>()?;
            if !are_of_images(&axes) {
                return Err(json.malformed(format!("its axes are {axes:?}, not those of images")));
            }
            axes
        }
        None => by_sizes(&array.shape).ok_or_else(|| other_axes(&array, folder))?,
    };
    if axes.len() != array.shape.len() {
        let found = format!(
            "it names {} axes, and its array has {:?}",
            axes.len(),
            array.shape
        );
        return Err(json.malformed(found));
    }
    let mut beside = vec![];
    if levels.is_some_and(|levels| levels.len() > 1) {
        beside.push("smaller copies of the image".to_owned());
    }
    if images.len() > 1 {
        beside.push("the other images of its group".to_owned());
    }
    Ok(Found {
        array,
        place,
        axes,
        group: Some(group),
        beside,
    })
}

/// What is said of a folder: its attributes, whatever the version.
pub(crate) fn said_of(folder: &Path) -> Result<Option<Json>, FileError> {
    match Json::read(folder.join(V3))? {
        Some(json) => Ok(Some(json)),
        None if has(folder, SAID) => Json::read(folder.join(SAID)),
        None => Json::read(folder.join(GROUP)),
    }
}

/// The attributes of metadata, whatever the version: those of OME-Zarr 0.5 are called `ome`.
pub(crate) fn attributes(root: &Value) -> &Value {
    let attributes = root.get("attributes").unwrap_or(root);
    attributes.get("ome").unwrap_or(attributes)
}

fn multiscales(json: &Json) -> Option<&[Value]> {
    let images = attributes(&json.root).get("multiscales")?.as_array()?;
    (!images.is_empty()).then_some(images)
}

fn is_series(json: &Json) -> bool {
    attributes(&json.root)
        .get("bioformats2raw.layout")
        .is_some()
}

/// The array of a folder and its metadata, if it is one of an array.
fn open_array(folder: &Path) -> Result<Option<(Array, Json)>, FileError> {
    let array = if let Some(json) = Json::read(folder.join(V3))? {
        match json.get("node_type")?.as_str() {
            Some("array") => (v3::array(&json, folder)?, json),
            Some("group") => return Ok(None),
            _ => return Err(json.malformed("it is neither a group nor an array")),
        }
    } else if let Some(json) = Json::read(folder.join(ARRAY))? {
        (v2::array(&json, folder)?, json)
    } else {
        return Ok(None);
    };
    array.0.check_sizes()?;
    Ok(Some(array))
}

/// The axes that an array's own metadata name, if they are those of images.
fn named_axes(json: &Json, folder: &Path) -> Result<Option<Vec<Axis>>, FileError> {
    let said = Json::read(folder.join(SAID))?;
    let of_xarray = said
        .as_ref()
        .and_then(|said| said.root.get("_ARRAY_DIMENSIONS"));
    let names = json.root.get("dimension_names").or(of_xarray);
    let axes = names.and_then(Value::as_array).and_then(|names| {
        let axes = names.iter().map(|name| named(name.as_str()?, None));
        axes.collect::<Option<Vec<_>>>()
    });
    let count = json.sizes(json.root.get("shape"), "shape")?.len();
    Ok(axes.filter(|axes| axes.len() == count && are_of_images(axes)))
}

fn other_axes(array: &Array, folder: &Path) -> FileError {
    FileError::ArrayShape {
        path: folder.to_owned(),
        found: array.shape.iter().map(|&size| size as u64).collect(),
    }
}
