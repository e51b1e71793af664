//! Weights and learning rates of 50 steps against PyTorch's (tests/data/generate_updates.py).

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::TrainStep;
use n2n_model::{Network, NetworkConfig};
use serde::Deserialize;

use super::*;
use crate::experiment::{Experiment, Source};
use crate::step::{TrainingModel, optimizer};

/// Weights are in f32, and so is each of Burn's 50 steps; they lie around 1. Adam divides by the root
/// of a running mean whose correction, `1 - 0.999^t`, has lost four digits in f32.
const WEIGHTS: f64 = 3e-5;

/// PyTorch lowers a learning rate step by step, and we compute each from its formula.
const RATES: f64 = 1e-12;

#[derive(Deserialize)]
struct Table {
    kept: Vec<usize>,
    validate_every: usize,
    metrics: Vec<f64>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    settings: Vec<String>,
    lrs: Vec<f64>,
    weights: Vec<Vec<f64>>,
}

/// Parameter `p` starts as `cos(i + p)`.
#[derive(Default)]
struct Start {
    p: usize,
}

impl ModuleMapper for Start {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let p = self.p;
        self.p += 1;
        param.map(|old| {
            let values = (0..old.shape().num_elements()).map(|i| ((i + p) as f32).cos());
            let data = TensorData::new(values.collect::<Vec<f32>>(), old.shape());
            let new = Tensor::from_data(data, &old.device());
            new.set_require_grad(old.is_require_grad())
        })
    }
}

/// The sum over the batches of a step of `0.05 sin(7 t + 3 i + 11 p + 5 k)`.
struct Gradients {
    step: usize,
    batches: usize,
    p: usize,
    made: GradientsParams,
}

impl ModuleVisitor for Gradients {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let shape = param.val().shape();
        let value = |i: usize| -> f64 {
            let angle = |k: usize| (7 * self.step + 3 * i + 11 * self.p + 5 * k) as f64;
            (0..self.batches).map(|k| 0.05 * angle(k).sin()).sum()
        };
        let values: Vec<f32> = (0..shape.num_elements()).map(|i| value(i) as f32).collect();
        let tensor = Tensor::<D>::from_data(TensorData::new(values, shape), &Device::flex());
        self.made.register(param.id, tensor);
        self.p += 1;
    }
}

#[derive(Default)]
struct Values(Vec<f64>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.extend(param.val().into_data().iter::<f64>());
    }
}

fn network() -> Network {
    let network = NetworkConfig::Simple(n2n_model::SimpleNetConfig {
        features: 2,
        ..n2n_model::SimpleNetConfig::default()
    });
    let network = network.init(0, &Device::flex().autodiff());
    network.map(&mut Start::default())
}

#[test]
fn weights_and_learning_rates_equal_pytorchs() {
    let table: Table = toml::from_str(include_str!("../../tests/data/updates.toml")).unwrap();
    assert!(table.case.len() > 20);
    for case in &table.case {
        let experiment = Experiment::resolve(Source::Scenes, &case.settings).unwrap();
        experiment.validate().unwrap();
        let config = experiment.train;
        let mut schedule = Schedule::new(&config, case.lrs.len());
        let network = network();
        let mut model = TrainingModel::new(network.clone(), &config);
        let mut optimizer = optimizer(&config.optimizer, &Device::flex());
        let mut kept = table.kept.iter().zip(&case.weights);
        let mut next = kept.next();
        for (step, expected) in case.lrs.iter().enumerate() {
            model.set_progress(step, step as f32 / case.lrs.len() as f32);
            let mut gradients = Gradients {
                step,
                batches: config.accumulate,
                p: 0,
                made: GradientsParams::new(),
            };
            network.visit(&mut gradients);
            let lr = schedule.lr(step);
            let error = (lr - expected).abs() / expected;
            assert!(error < RATES, "{:?}: step {step}, {lr}", case.settings);
            let gradients = model.gradients(&network, gradients.made);
            model = model.optimize(&mut optimizer, lr.into(), gradients);
            if let Some((_, expected)) = next.filter(|(kept, _)| **kept == step + 1) {
                let mut found = Values::default();
                model.evaluation_network().visit(&mut found);
                assert_eq!(found.0.len(), expected.len());
                let errors = found.0.iter().zip(expected).map(|(a, b)| (a - b).abs());
                let error = errors.fold(0.0, f64::max);
                assert!(
                    error < WEIGHTS,
                    "{:?}: step {}, {error:e}",
                    case.settings,
                    step + 1
                );
                next = kept.next();
            }
            if (step + 1) % table.validate_every == 0 {
                schedule.observe(table.metrics[step / table.validate_every]);
            }
        }
        assert!(next.is_none(), "all steps were compared");
    }
}

#[test]
fn plateau_resumes_from_its_state() {
    let config = TrainConfig {
        lr: 0.5,
        ..TrainConfig::default()
    };
    let mut seen = Schedule::new(&config, 100);
    for metric in [3.0, 2.0, 2.5, 2.5] {
        seen.observe(metric);
    }
    let mut resumed = Schedule::new(&TrainConfig::default(), 100);
    resumed.restore(seen.plateau(), 0);
    for _ in 0..12 {
        seen.observe(2.2);
        resumed.observe(2.2);
        assert_eq!(seen.lr(0), resumed.lr(0));
    }
    assert_eq!(seen.lr(0), 0.05);
    resumed.restore(seen.plateau(), 3);
    assert_eq!(resumed.lr(0), 0.05 / 8.0);
}
