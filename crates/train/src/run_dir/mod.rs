//! The folder of a run: enough to repeat it, and to continue it.

mod basis;
mod checkpoint;
mod directory;
mod earlier;
mod events;
mod folder;
mod history;
mod lines;
mod non_finite;
mod record;
mod resume;
mod standing;
mod state;
mod table;

pub use self::basis::Basis;
pub(crate) use self::basis::{changed_settings, differing_settings};
pub use self::checkpoint::{Checkpoint, CheckpointFault};
pub use self::directory::{Notes, Program, Provenance, RunDir};
pub use self::history::History;
pub use self::non_finite::{Found, NonFinite};
pub use self::record::Record;
pub use self::resume::Resumed;
pub(crate) use self::resume::restore_best;
pub use self::standing::Standing;
pub use self::state::{End, TrainingState};
