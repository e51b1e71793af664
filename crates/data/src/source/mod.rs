//! One file for each kind of source.

mod arrays;
mod find;
mod halves;
mod joined;
mod pictures;
mod scenes;
mod singles;
mod stacks;
mod subset;

pub use arrays::Arrays;
pub(crate) use find::TRAIN_FILE;
pub use find::{Finder, Found, Layout};
pub(crate) use halves::Halves;
pub(crate) use pictures::goes_with;
pub use scenes::{Scenes, ScenesConfig, Split};
pub(crate) use singles::Singles;
pub use subset::Subset;
