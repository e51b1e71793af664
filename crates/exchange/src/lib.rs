//! Imports checkpoints of PyTorch, and exports models to ONNX.
//!
//! Start reading at [`import()`] and at [`onnx()`].

mod error;
mod import;
mod networks;
mod onnx;

pub use error::Error;
pub use import::{Imported, import};
pub use onnx::{OPSET, onnx};
