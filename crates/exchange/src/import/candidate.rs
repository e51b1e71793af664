//! Parameters of a checkpoint, and the network that they are recognized as.

use n2n_model::NetworkConfig;

/// Largest number of names in a message.
const MAX_LISTED: usize = 4;

/// The parameters of a state dict in its order: names and shapes.
pub(crate) struct Parameters {
    pub found: Vec<(String, Vec<usize>)>,
}

/// A network recognized by names and shapes of its parameters.
pub(crate) struct Candidate {
    /// Description for error messages.
    pub words: String,
    pub network: NetworkConfig,
    /// The same network without shared blocks, if the network has this option.
    pub unshared: Option<NetworkConfig>,
    /// Its names for the parameters, in their order.
    pub names: Vec<String>,
}

impl Parameters {
    /// Names, in the file's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.found.iter().map(|(name, _)| name.as_str())
    }

    /// The shape of a parameter.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        let mut found = self.found.iter();
        found.find_map(|(known, shape)| (known == name).then_some(&**shape))
    }

    /// Their number and the first names.
    pub fn listed(&self) -> String {
        let first: Vec<&str> = self.names().take(MAX_LISTED).collect();
        let more = if self.found.len() > MAX_LISTED {
            ", ..."
        } else {
            ""
        };
        format!(
            "{} parameters: {}{more}",
            self.found.len(),
            first.join(", ")
        )
    }
}
