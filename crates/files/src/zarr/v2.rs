//! Metadata of arrays of Zarr, version 2: `.zarray`.

use std::path::Path;

use flate2::Compression;
use serde_json::Value;

use super::{
    array::{Array, Keys},
    blosc::{Packer, Settings},
    codec::Codec,
    json::{Json, shown},
    numbers::{Numbers, strides},
};
use crate::FileError;

/// The array that metadata describe.
pub(super) fn array(json: &Json, folder: &Path) -> Result<Array, FileError> {
    let dtype = json.get("dtype")?;
    let numbers = Numbers::of_numpy(dtype.as_str().unwrap_or_default());
    let numbers = numbers.ok_or_else(|| FileError::ArrayType {
        path: json.path.clone(),
        found: shown(dtype),
    })?;
    let shape = json.sizes(json.root.get("shape"), "shape")?;
    let chunk = json.sizes(json.root.get("chunks"), "chunks")?;
    let axes: Vec<usize> = match json.get("order")?.as_str() {
        Some("C") => (0..chunk.len()).collect(),
        Some("F") => (0..chunk.len()).rev().collect(),
        _ => return Err(json.malformed("its order is neither C nor F")),
    };
    let filters = json.root.get("filters").and_then(Value::as_array);
    if let Some(filter) = filters.and_then(|filters| filters.first()) {
        let way_out = "write it without filters";
        return Err(json.unsupported(format!("a filter {}", name(filter)), way_out));
    }
    let separator = json.root.get("dimension_separator");
    Ok(Array {
        folder: folder.to_owned(),
        strides: strides(&chunk, &axes),
        fill: numbers.fill(json.root.get("fill_value"), json)?,
        element: numbers.element(),
        keys: Keys {
            start: None,
            separator: match separator.and_then(Value::as_str) {
                Some("/") => '/',
                _ => '.',
            },
        },
        codecs: compressor(json.root.get("compressor"), numbers, json)?,
        shards: None,
        file: chunk.clone(),
        chunk,
        shape,
    })
}

fn compressor(
    settings: Option<&Value>,
    numbers: Numbers,
    json: &Json,
) -> Result<Vec<Codec>, FileError> {
    let Some(settings) = settings.filter(|settings| !settings.is_null()) else {
        return Ok(vec![]);
    };
    let level = level(settings.get("level"));
    Ok(vec![match name(settings).as_str() {
        "gzip" => Codec::Gzip(level),
        "zlib" => Codec::Zlib(level),
        "zstd" => Codec::Zstd,
        "lz4" => Codec::Lz4,
        "blosc" => {
            let packer = settings.get("cname").and_then(Value::as_str);
            Codec::Blosc(Settings {
                packer: Packer::named(packer.unwrap_or_default()),
                // -1 is whatever is best for the numbers.
                shuffles: settings.get("shuffle").and_then(Value::as_i64) != Some(0),
                size: numbers.element().bytes(),
            })
        }
        other => {
            let way_out = "write it with blosc, zstd, gzip or zlib";
            return Err(json.unsupported(format!("chunks packed by {other}"), way_out));
        }
    }])
}

/// How hard to pack.
pub(super) fn level(level: Option<&Value>) -> Compression {
    const HARDEST: u64 = 9;
    let level = level.and_then(Value::as_u64);
    level.map_or(Compression::default(), |level| {
        Compression::new(level.min(HARDEST) as u32)
    })
}

/// What a compressor or a filter is called.
fn name(settings: &Value) -> String {
    let id = settings.get("id").and_then(Value::as_str);
    id.map_or_else(|| shown(settings), str::to_owned)
}
