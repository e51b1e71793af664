//! Images that metadata ask to turn.

use image::metadata::Orientation;

use super::Attached;
use crate::{Turn, exif::Directory};

impl Attached {
    /// How the image is to be turned to be upright.
    pub fn turn(&self) -> Turn {
        let exif = self.exif.as_deref().unwrap_or_default();
        let found = Orientation::from_exif_chunk(exif);
        Turn::of_exif(found.map_or(1, Orientation::to_exif))
    }

    /// The same metadata for the image [turned](crate::Raster::turned) upright.
    #[must_use]
    pub fn upright(mut self) -> Self {
        let turn = self.turn();
        if let Some(exif) = &mut self.exif {
            let _removed = Orientation::remove_from_exif_chunk(exif);
            let read = Directory::parse(exif);
            if read.is_some_and(|exif| exif.directory.is_orientation_alone()) {
                self.exif = None;
            }
        }
        if let Some(resolution) = &mut self.resolution
            && turn.swaps_sides()
        {
            (resolution.x, resolution.y) = (resolution.y, resolution.x);
        }
        self
    }
}
