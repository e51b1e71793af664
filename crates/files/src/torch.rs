//! Files made by PyTorch: `torch.save((noisy, noisy), path)`, `torch.save(network.state_dict(), path)`, and by
//! `pickle.dump` of the same.

mod content;
mod element;
mod inert;
mod legacy;
mod pairs;
mod pickle;
mod state_dict;
mod storages;
mod value;

pub use self::{
    pairs::{TorchStack, open_torch, read_torch},
    state_dict::{StateDictFile, TorchTensor, open_state_dict, read_state_dict},
};
