//! How close an image is to the clean one, on the host and in double precision.
//!
//! Values are nominally in `[0, 1]`, planar; images of several channels count as one image.

mod psnr;
mod ssim;
#[cfg(test)]
mod tests;

pub use self::{
    psnr::{mse, psnr_db},
    ssim::{SSIM_WINDOW, ssim},
};
