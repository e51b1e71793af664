//! Devices by name: the backends that are compiled in, and the graphics adapters of this machine.
//!
//! Burn opens a device by the graphics API and the kind of adapter. People name a backend and a number.

mod adapters;
mod backend;
mod launches;

pub use self::adapters::{Adapter, adapters};
pub use self::backend::{Backend, DeviceError, SelectedDevice};
pub use self::launches::{Launches, count_launches};
