//! Metadata of arrays of Zarr, version 3: `zarr.json`.

use std::path::Path;

use serde_json::Value;

use super::{
    array::{Array, Keys},
    blosc::{Packer, Settings},
    codec::Codec,
    json::{Json, shown},
    numbers::{Numbers, strides},
    shards::Shards,
    v2::level,
};
use crate::FileError;

/// What to do about codecs that are not read.
const OTHER_CODECS: &str = "write it with blosc, zstd or gzip";

/// The array that metadata describe.
pub(super) fn array(json: &Json, folder: &Path) -> Result<Array, FileError> {
    let kind = json.get("data_type")?;
    let numbers = Numbers::named(kind.as_str().unwrap_or_default());
    let numbers = numbers.ok_or_else(|| FileError::ArrayType {
        path: json.path.clone(),
        found: shown(kind),
    })?;
    let shape = json.sizes(json.root.get("shape"), "shape")?;
    let grid = json.get("chunk_grid")?;
    if name(grid) != "regular" {
        let found = format!("a grid of chunks called {}", name(grid));
        return Err(json.unsupported(found, "write it with chunks of one shape"));
    }
    let file = json.sizes(setting(grid, "chunk_shape"), "chunk_shape")?;
    let codecs = list(json.root.get("codecs"), json)?;
    let outer = Codecs::of(codecs, numbers, file.len(), json)?;
    let (chunk, shards, codecs) = match outer.shards {
        None => (file.clone(), None, outer),
        Some((settings, shards)) => {
            if !outer.packers.is_empty() || outer.axes.is_some() {
                return Err(json.unsupported("shards that are packed whole", OTHER_CODECS));
            }
            let chunk = json.sizes(settings.get("chunk_shape"), "chunk_shape")?;
            let codecs = list(settings.get("codecs"), json)?;
            let inner = Codecs::of(codecs, numbers, chunk.len(), json)?;
            if inner.shards.is_some() {
                return Err(json.unsupported("shards of shards", OTHER_CODECS));
            }
            (chunk, Some(shards), inner)
        }
    };
    let numbers = numbers.in_order(codecs.big_endian);
    let axes = codecs.axes.unwrap_or_else(|| (0..chunk.len()).collect());
    Ok(Array {
        folder: folder.to_owned(),
        strides: strides(&chunk, &axes),
        fill: numbers.fill(json.root.get("fill_value"), json)?,
        element: numbers.element(),
        keys: keys(json)?,
        codecs: codecs.packers,
        shards,
        file,
        chunk,
        shape,
    })
}

/// What a list of codecs says.
struct Codecs<'a> {
    /// The order of the axes in a chunk.
    axes: Option<Vec<usize>>,
    big_endian: bool,
    packers: Vec<Codec>,
    /// How shards are made, and their index.
    shards: Option<(&'a Value, Shards)>,
}

impl<'a> Codecs<'a> {
    fn of(
        list: &'a [Value],
        numbers: Numbers,
        axes: usize,
        json: &Json,
    ) -> Result<Self, FileError> {
        let mut codecs = Self {
            axes: None,
            big_endian: false,
            packers: vec![],
            shards: None,
        };
        for codec in list {
            let text = |key| setting(codec, key).and_then(Value::as_str);
            match name(codec).as_str() {
                "bytes" => codecs.big_endian = text("endian") == Some("big"),
                "transpose" => {
                    let order = json.sizes(setting(codec, "order"), "order")?;
                    let mut sorted = order.clone();
                    sorted.sort_unstable();
                    if codecs.axes.is_some()
                        || sorted.iter().ne((0..axes).collect::<Vec<_>>().iter())
                    {
                        return Err(json.malformed(format!("its axes are in the order {order:?}")));
                    }
                    codecs.axes = Some(order);
                }
                "sharding_indexed" => {
                    let settings = codec.get("configuration");
                    let settings = settings.ok_or_else(|| json.malformed("shards of no size"))?;
                    codecs.shards = Some((settings, shards(settings, json)?));
                }
                "gzip" => codecs
                    .packers
                    .push(Codec::Gzip(level(setting(codec, "level")))),
                "zstd" => codecs.packers.push(Codec::Zstd),
                "crc32c" => codecs.packers.push(Codec::Crc32c),
                "blosc" => codecs.packers.push(Codec::Blosc(Settings {
                    packer: Packer::named(text("cname").unwrap_or_default()),
                    shuffles: text("shuffle") != Some("noshuffle"),
                    size: numbers.element().bytes(),
                })),
                other => {
                    return Err(json.unsupported(format!("chunks packed by {other}"), OTHER_CODECS));
                }
            }
        }
        Ok(codecs)
    }
}

fn shards(settings: &Value, json: &Json) -> Result<Shards, FileError> {
    let mut shards = Shards {
        at_end: settings.get("index_location").and_then(Value::as_str) != Some("start"),
        checked: false,
        big_endian: false,
    };
    for codec in list(settings.get("index_codecs"), json)? {
        match name(codec).as_str() {
            "bytes" => {
                let order = setting(codec, "endian").and_then(Value::as_str);
                shards.big_endian = order == Some("big");
            }
            "crc32c" => shards.checked = true,
            other => {
                let found = format!("an index of shards packed by {other}");
                return Err(json.unsupported(found, OTHER_CODECS));
            }
        }
    }
    Ok(shards)
}

fn keys(json: &Json) -> Result<Keys, FileError> {
    let encoding = json.get("chunk_key_encoding")?;
    let separator = setting(encoding, "separator").and_then(Value::as_str);
    let (start, usual) = match name(encoding).as_str() {
        "default" => (Some("c"), '/'),
        "v2" => (None, '.'),
        other => {
            let found = format!("chunks named by {other}");
            return Err(json.unsupported(found, "write it with the usual names"));
        }
    };
    let separator = match separator {
        Some("/") => '/',
        Some(".") => '.',
        _ => usual,
    };
    Ok(Keys { start, separator })
}

fn list<'a>(codecs: Option<&'a Value>, json: &Json) -> Result<&'a [Value], FileError> {
    let codecs = codecs.and_then(Value::as_array);
    let codecs = codecs.ok_or_else(|| json.malformed("it does not say its codecs"))?;
    Ok(codecs)
}

/// What an extension is called: its name, or it is its name.
fn name(extension: &Value) -> String {
    let name = extension
        .as_str()
        .or_else(|| extension.get("name")?.as_str());
    name.map_or_else(|| shown(extension), str::to_owned)
}

fn setting<'a>(extension: &'a Value, key: &str) -> Option<&'a Value> {
    extension.get("configuration")?.get(key)
}
