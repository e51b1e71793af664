//! Networks that leave and enter this project: checkpoints of PyTorch in, ONNX out.
//!
//! Start reading at [`import`] and at [`onnx`].

mod error;
mod import;
mod onnx;

pub use error::Error;
pub use import::{Imported, import};
pub use onnx::{OPSET, onnx};
