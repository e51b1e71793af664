//! How close images are to clean ones, on the host and in double precision.
//!
//! Values are nominally in `[0, 1]`, planar; images of several channels count as one image.

mod estimate;
mod mean;
mod psnr;
mod score;
mod ssim;
#[cfg(test)]
mod tests;

pub use self::{
    estimate::{between_mse, noise2noise_mse},
    mean::{Mean, median},
    psnr::{Psnr, PsnrKeys, Reference, masked_mse, mean_psnr_db, mse, psnr_db},
    score::{Against, Score, Summary, SummaryKeys, second_noisy},
    ssim::{SSIM_WINDOW, ssim},
};
