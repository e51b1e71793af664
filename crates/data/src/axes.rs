//! What the axes of files are, as an experiment says it: `"auto"`, `"pages"` or letters.

use n2n_files::AxesFrom;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const AUTO: &str = "auto";
const PAGES: &str = "pages";

pub(crate) fn serialize<S: Serializer>(axes: &AxesFrom, to: S) -> Result<S::Ok, S::Error> {
    match axes {
        AxesFrom::File => AUTO.serialize(to),
        AxesFrom::Pages => PAGES.serialize(to),
        AxesFrom::Given(axes) => axes.to_string().serialize(to),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<AxesFrom, D::Error> {
    Ok(match String::deserialize(from)?.as_str() {
        AUTO => AxesFrom::File,
        PAGES => AxesFrom::Pages,
        letters => AxesFrom::Given(letters.parse().map_err(|error| {
            D::Error::custom(format!("{error}; or \"{AUTO}\", or \"{PAGES}\""))
        })?),
    })
}
