//! The gradients of a module by name.

use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

/// Gradients under the paths of the parameters, with PyTorch's names.
pub struct GradientVisitor<'a> {
    gradients: &'a GradientsParams,
    path: Vec<String>,
    pub found: Vec<(String, TensorData)>,
}

impl<'a> GradientVisitor<'a> {
    pub fn new(gradients: &'a GradientsParams) -> Self {
        Self {
            gradients,
            path: Vec::new(),
            found: Vec::new(),
        }
    }
}

impl ModuleVisitor for GradientVisitor<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            let name = match name {
                "alpha" | "gamma" => "weight",
                "beta" => "bias",
                name => name,
            };
            self.path.push(name.to_owned());
        }
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // Running statistics have no gradients.
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let name = format!("grad.{}", self.path.join("."));
            self.found.push((name, gradient.into_data()));
        }
    }
}
