//! A case of the gradient check: an op with its oracles.

use burn::tensor::Tensor;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// An op on flat tensors; the case knows their shapes.
type DeviceOp = Box<dyn Fn(&[Tensor<1>]) -> Tensor<1>>;
/// Output and gradients of an op on flat tensors, from the gradient of the output.
type DeviceVjp = Box<dyn Fn(&[Tensor<1>], Tensor<1>) -> (Tensor<1>, Vec<Tensor<1>>)>;
/// An op's value, naive and in f64.
type Forward = Box<dyn Fn(&[Vec<f64>]) -> Vec<f64>>;
/// An op's vector-Jacobian product, naive and in f64: one gradient for each input.
type Backward = Box<dyn Fn(&[Vec<f64>], &[f64]) -> Vec<Vec<f64>>>;

/// The op under test.
pub enum Ours {
    /// Its backward pass is on the tape of Burn's autodiff.
    ByAutodiff(DeviceOp),
    /// It returns its gradients itself.
    ByClosure(DeviceVjp),
}

/// One op at one geometry, with its oracles.
pub struct Case {
    /// Name of the op.
    pub op: &'static str,
    /// Sizes and options, in short.
    pub geometry: String,
    /// Names of the inputs.
    pub names: &'static [&'static str],
    /// Values of the inputs.
    pub inputs: Vec<Vec<f32>>,
    /// The op under test.
    pub ours: Ours,
    /// The same op by Burn.
    pub burns: DeviceOp,
    /// The definition.
    pub forward: Forward,
    /// Its gradients, written out.
    pub backward: Backward,
    /// Inputs that the op is linear in, where it is an affine map of each.
    pub linear: &'static [usize],
    /// The input that is added to a linear map of the others.
    pub bias: Option<usize>,
}

/// Shape of the images of the pointwise ops.
pub(crate) const POINTWISE_SHAPE: [usize; 4] = [2, 3, 5, 4];

impl Case {
    /// A function of each value alone; `slope` is the derivative of `value`.
    pub fn pointwise(
        random: &mut Random,
        op: &'static str,
        ours: fn(Tensor<4>) -> Tensor<4>,
        burns: fn(Tensor<4>) -> Tensor<4>,
        value: impl Fn(f64) -> f64 + 'static,
        slope: impl Fn(f64) -> f64 + 'static,
    ) -> Self {
        let x = |inputs: &[Tensor<1>]| image(inputs, 0, POINTWISE_SHAPE);
        Self {
            op,
            geometry: "2x3x5x4".to_owned(),
            names: &["x"],
            inputs: vec![random.values(POINTWISE_SHAPE.iter().product())],
            ours: Ours::ByAutodiff(Box::new(move |inputs| flatten(ours(x(inputs))))),
            burns: Box::new(move |inputs| flatten(burns(x(inputs)))),
            forward: Box::new(move |inputs| inputs[0].iter().map(|x| value(*x)).collect()),
            backward: Box::new(move |inputs, grad| {
                let pairs = inputs[0].iter().zip(grad);
                vec![pairs.map(|(x, dy)| dy * slope(*x)).collect()]
            }),
            linear: &[],
            bias: None,
        }
    }
}

/// One input as an image batch.
pub fn image(inputs: &[Tensor<1>], index: usize, shape: [usize; 4]) -> Tensor<4> {
    inputs[index].clone().reshape(shape)
}

/// All values of a tensor.
pub fn flatten<const D: usize>(y: Tensor<D>) -> Tensor<1> {
    y.flatten(0, D - 1)
}

/// Generator with a fixed seed.
pub struct Random(pub ChaCha8Rng);

impl Random {
    /// Values between 0.05 and 1 of either sign: no kink is nearer than any step of a difference.
    pub fn values(&mut self, count: usize) -> Vec<f32> {
        let value = |_| {
            let magnitude = self.0.random_range(0.05_f32..1.0);
            if self.0.random() {
                magnitude
            } else {
                -magnitude
            }
        };
        (0..count).map(value).collect()
    }
}
