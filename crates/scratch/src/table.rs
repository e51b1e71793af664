//! The macro behind the table of ops in `ops.rs`.
//!
//! One entry of the table writes an op's method of [`ScratchOps`](crate::ScratchOps), its CPU version and its
//! place on the tape of Burn's autodiff.

/// Declares the ops. An entry has a header, `fn name(tensors; options) -> [type]`, and up to four lines:
///
/// - `any`: the op over the primitives of any backend;
/// - `cpu`: the op on slices in the host's memory, see [`cpu_method`];
/// - `gpu`: the op in kernels, and the specs of what it returns, which are asked for before it runs;
/// - `tape`: its saved state and its gradients, see [`tape_entry`].
macro_rules! ops {
    ($(
        $(#[$doc:meta])*
        fn $name:ident($($tensor:ident),+ $(; $($option:ident: $type:tt),+)?) -> $returns:tt {
            any: $($any:ident)::+,
            $(cpu: $mode:ident $cpu:tt,)?
            $(gpu: ($($gpu:ident)::+, $($specs:ident)::+),)?
            $(tape: $Tape:ident $tape:tt,)?
        }
    )+) => {
        declare! {[] $({
            $(#[$doc])*
            $name [$($tensor),+] [$($($option: $type),+)?] $returns [$($any)::+] [$($($specs)::+)?]
        })+}

        impl ScratchOps for CubeBackend {$(
            gpu_method! {
                $name [$($tensor),+] [$($($option: $type),+)?] $returns [$($($gpu)::+)?]
            }
        )+}

        impl ScratchOps for NdArray {$(
            cpu_method! {
                $name [$($tensor),+] [$($($option: $type),+)?] $returns [$($any)::+]
                $($mode $cpu)?
            }
        )+}

        impl ScratchOps for Flex {$(
            cpu_method! {
                $name [$($tensor),+] [$($($option: $type),+)?] $returns [$($any)::+]
                $($mode $cpu)?
            }
        )+}

        impl<B: ScratchOps, C: CheckpointStrategy> ScratchOps for Autodiff<B, C> {$(
            tape_method! {
                $name [$($tensor),+] [$($($option: $type),+)?] $returns $($Tape $tape)?
            }
        )+}

        $(
            tape_entry! { [$($tensor),+] [$($($option: $type),+)?] $($Tape $tape)? }
        )+
    };
}

/// The trait, its methods with the bodies for any backend: takes one entry after another.
///
/// On a backend that fuses ops, one with specs is a node of its own, and others are what they are made of.
macro_rules! declare {
    ([$($methods:tt)*]) => {
        /// The hand-written ops, on primitives.
        #[backend_extension(Autodiff, Cube, Flex, NdArray, Fusion)]
        pub trait ScratchOps: Backend { $($methods)* }
    };
    ($methods:tt { $(#[$doc:meta])* $name:ident $tensors:tt $options:tt $returns:tt $any:tt [] } $($rest:tt)*) => {
        declare! {
            @ $methods [#[fusion(default)]]
            { $(#[$doc])* $name $tensors $options $returns $any }
            $($rest)*
        }
    };
    (
        $methods:tt
        { $(#[$doc:meta])* $name:ident $tensors:tt $options:tt $returns:tt $any:tt [$($specs:ident)::+] }
        $($rest:tt)*
    ) => {
        declare! {
            @ $methods [#[fusion(meta = $($specs)::+)]]
            { $(#[$doc])* $name $tensors $options $returns $any }
            $($rest)*
        }
    };
    (
        @ [$($methods:tt)*] [$($fusion:tt)*]
        {
            $(#[$doc:meta])*
            $name:ident [$($tensor:ident),+] [$($option:ident: $type:tt),*] [$($returns:tt)+]
            [$($any:ident)::+]
        }
        $($rest:tt)*
    ) => {
        declare! {
            [
                $($methods)*
                $(#[$doc])*
                $($fusion)*
                #[allow(clippy::too_many_arguments)] // Tensors are dispatched one by one.
                fn $name($($tensor: FloatTensor<Self>,)+ $($option: $type),*) -> $($returns)+ {
                    $($any)::+::<Self>($($tensor,)+ $($option),*)
                }
            ]
            $($rest)*
        }
    };
}

/// The GPU's version of an op, if it has one.
macro_rules! gpu_method {
    ($name:ident $tensors:tt $options:tt $returns:tt []) => {};
    (
        $name:ident [$($tensor:ident),+] [$($option:ident: $type:tt),*] [$($returns:tt)+]
        [$($gpu:ident)::+]
    ) => {
        fn $name($($tensor: FloatTensor<Self>,)+ $($option: $type),*) -> $($returns)+ {
            $($gpu)::+($($tensor,)+ $($option),*)
        }
    };
}

/// The CPU's version of an op, if it has one:
///
/// - `always(f)`: `f` computes every element type;
/// - `f32(f)`, `f32(f, groups)`: `f` computes f32 without groups;
/// - `pointwise(f)`: the same for a function of slices, value by value.
macro_rules! cpu_method {
    ($name:ident $tensors:tt $options:tt $returns:tt $any:tt) => {};
    (
        $name:ident [$($tensor:ident),+] [$($option:ident: $type:tt),*] [$($returns:tt)+] $any:tt
        always($($cpu:ident)::+)
    ) => {
        fn $name($($tensor: FloatTensor<Self>,)+ $($option: $type),*) -> $($returns)+ {
            $($cpu)::+::<Self>($($tensor,)+ $($option),*)
        }
    };
    (
        $name:ident [$($tensor:ident),+] [$($option:ident: $type:tt),*] [$($returns:tt)+]
        [$($any:ident)::+] f32($($cpu:ident)::+ $(, $groups:expr)?)
    ) => {
        fn $name($($tensor: FloatTensor<Self>,)+ $($option: $type),*) -> $($returns)+ {
            if fused::has_kernel::<Self>(&[$(&$tensor),+], &[$($groups)?]) {
                $($cpu)::+::<Self>($($tensor,)+ $($option),*)
            } else {
                $($any)::+::<Self>($($tensor,)+ $($option),*)
            }
        }
    };
    (
        $name:ident [$($tensor:ident),+] [$($option:ident: $type:tt),*] [$($returns:tt)+]
        [$($any:ident)::+] pointwise($($cpu:ident)::+)
    ) => {
        fn $name($($tensor: FloatTensor<Self>,)+ $($option: $type),*) -> $($returns)+ {
            if fused::has_kernel::<Self>(&[$(&$tensor),+], &[]) {
                host::pointwise::<Self, _>([$($tensor),+], |[$($tensor),+]| {
                    $($cpu)::+($($tensor,)+ $($option),*)
                })
            } else {
                $($any)::+::<Self>($($tensor,)+ $($option),*)
            }
        }
    };
}

/// The method of a differentiable op that records it.
macro_rules! tape_method {
    ($name:ident $tensors:tt $options:tt $returns:tt) => {};
    (
        $name:ident [$($tensor:ident),+] [$($option:ident: $type:tt),*] [$($returns:tt)+]
        $Tape:ident {
            saved: $saved:tt,
            $(output: $output:ident,)?
            $(with $extra:ident: $extra_type:tt = $value:expr,)?
            |$($unused:ident),+| $gradients:expr
        }
    ) => {
        fn $name($($tensor: FloatTensor<Self>,)+ $($option: $type),*) -> $($returns)+ {
            record::<B, C, _, _>($Tape, [$($tensor),+], |[$($tensor),+]| {
                let saved = clones!($saved);
                $(let $extra = $value;)?
                let y = <B as ScratchOps>::$name($($tensor,)+ $($option),*);
                $(let $output = y.clone();)?
                (y, (saved, ($($output,)?), ($($option,)*), ($($extra,)?)))
            })
        }
    };
    (
        $name:ident [$($tensor:ident),+] [$($option:ident: $type:tt),*] [$($returns:tt)+]
        $Tape:ident {
            saved: $saved:tt,
            by $by:ident => $kept:ident,
            |$($unused:ident),+| $gradients:expr
        }
    ) => {
        fn $name($($tensor: FloatTensor<Self>,)+ $($option: $type),*) -> $($returns)+ {
            record::<B, C, _, _>($Tape, [$($tensor),+], |[$($tensor),+]| {
                let saved = clones!($saved);
                let (y, kept) = <B as ScratchOps>::$by($($tensor,)+ $($option),*);
                (y, (saved, kept, ($($option,)*)))
            })
        }
    };
}

/// The backward pass of a differentiable op: what it saves (some of its inputs, its `output`, and a value
/// `with` a name), and the gradients of its inputs given that of its output.
///
/// Gradients are a list, `|dy| [dx, ...]`, of which those of tracked inputs are computed, or one call,
/// `|dy, wanted| gradients`, where `wanted(i)` tells whether input `i` is tracked. The latter has what another op
/// returns besides the output, `by op => kept`.
macro_rules! tape_entry {
    ($tensors:tt $options:tt) => {};
    (
        [$($tensor:ident),+] [$($option:ident: $type:tt),*] $Tape:ident {
            saved: $saved:tt,
            $(output: $output:ident,)?
            $(with $extra:ident: $extra_type:tt = $value:expr,)?
            |$dy:ident| [$($gradient:expr),+ $(,)?]
        }
    ) => {
        #[derive(Debug)]
        struct $Tape;

        impl<B: ScratchOps> Backward<B, { [$(stringify!($tensor)),+].len() }> for $Tape {
            type State = (
                tensors!(B, $saved),
                ($(tensor!(B, $output),)?),
                ($($type,)*),
                ($($extra_type,)?),
            );

            #[allow(unused_variables)] // Not every gradient needs every option.
            fn backward(
                self,
                ops: Ops<Self::State, { [$(stringify!($tensor)),+].len() }>,
                grads: &mut Gradients,
                _checkpointer: &mut Checkpointer,
            ) {
                let $dy = grads.consume::<B>(&ops.node);
                let (saved, output, options, extra) = &ops.state;
                let names!($saved) = saved;
                let ($($output,)?) = output;
                let ($($option,)*) = *options;
                let ($($extra,)?) = *extra;
                let mut parents = ops.parents.into_iter();
                $(
                    if let Some(parent) = parents.next().flatten() {
                        let $dy = $dy.clone();
                        grads.register::<B>(parent.id, $gradient);
                    }
                )+
            }
        }
    };
    (
        [$($tensor:ident),+] [$($option:ident: $type:tt),*] $Tape:ident {
            saved: $saved:tt,
            by $by:ident => $kept:ident,
            |$dy:ident, $wanted:ident| $gradients:expr
        }
    ) => {
        #[derive(Debug)]
        struct $Tape;

        impl<B: ScratchOps> Backward<B, { [$(stringify!($tensor)),+].len() }> for $Tape {
            type State = (tensors!(B, $saved), FloatTensor<B>, ($($type,)*));

            fn backward(
                self,
                ops: Ops<Self::State, { [$(stringify!($tensor)),+].len() }>,
                grads: &mut Gradients,
                _checkpointer: &mut Checkpointer,
            ) {
                let $dy = grads.consume::<B>(&ops.node);
                let (names!($saved), $kept, ($($option,)*)) = ops.state;
                let $wanted = |parent: usize| ops.parents[parent].is_some();
                let gradients: Vec<Option<FloatTensor<B>>> = $gradients;
                for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
                    if let (Some(parent), Some(gradient)) = (parent, gradient) {
                        grads.register::<B>(parent.id, gradient);
                    }
                }
            }
        }
    };
}

/// Clones of `(a, b)`.
macro_rules! clones {
    (($($tensor:ident),*)) => { ($($tensor.clone(),)*) };
}

/// The type of the tensors `(a, b)`.
macro_rules! tensors {
    ($B:ident, ($($tensor:ident),*)) => { ($(tensor!($B, $tensor),)*) };
}

/// The pattern of the tensors `(a, b)`.
macro_rules! names {
    (($($tensor:ident),*)) => { ($($tensor,)*) };
}

/// The type of a tensor.
macro_rules! tensor {
    ($B:ident, $tensor:ident) => { FloatTensor<$B> };
}
