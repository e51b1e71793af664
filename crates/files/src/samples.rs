//! Numbers as files store them, and their kinds.

use std::{fmt, ops::Range};

use half::f16;

/// A number that files store.
pub trait Sample: Copy + Send + Sync + 'static {
    /// Its kind.
    const KIND: SampleKind;

    /// As a float: exact but for integers beyond 2<sup>53</sup>.
    fn to_f64(self) -> f64;

    /// The number of this kind that is nearest to `value`: of integers, those beyond their bounds
    /// become these, and NaN becomes 0; of floats of 16 bits, those beyond become the largest.
    fn from_f64(value: f64) -> Self;

    /// Samples of this kind.
    fn into_samples(values: Vec<Self>) -> Samples;

    /// The numbers, where they are of this kind.
    fn slice(samples: &Samples) -> Option<&[Self]>;

    /// As [`slice`](Self::slice), to change them.
    fn slice_mut(samples: &mut Samples) -> Option<&mut [Self]>;
}

/// Runs an expression with the vector of [`Samples`], of whatever kind it is: `with_samples!(samples,
/// values => values.len())`. Of a reference, `values` is one too.
#[macro_export]
macro_rules! with_samples {
    ($samples:expr, $values:pat => $expression:expr) => {
        match $samples {
            $crate::Samples::U8($values) => $expression,
            $crate::Samples::I8($values) => $expression,
            $crate::Samples::U16($values) => $expression,
            $crate::Samples::I16($values) => $expression,
            $crate::Samples::U32($values) => $expression,
            $crate::Samples::I32($values) => $expression,
            $crate::Samples::U64($values) => $expression,
            $crate::Samples::I64($values) => $expression,
            $crate::Samples::F16($values) => $expression,
            $crate::Samples::F32($values) => $expression,
            $crate::Samples::F64($values) => $expression,
        }
    };
}

/// Makes the kinds of a table: variant, type, name, and what numbers they are.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($number:ident) $name:literal $class:ident;)*) => {
        /// Numbers of one kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Samples {
            $($(#[$doc])* $kind(Vec<$number>),)*
        }

        /// A kind of number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum SampleKind {
            $($(#[$doc])* $kind,)*
        }

        impl Samples {
            /// `len` zeros.
            pub fn zeros(kind: SampleKind, len: usize) -> Self {
                match kind {
                    $(SampleKind::$kind => Self::$kind(vec![$number::default(); len]),)*
                }
            }
        }

        impl SampleKind {
            /// All of them.
            pub const ALL: [Self; [$(Self::$kind),*].len()] = [$(Self::$kind),*];

            /// Bytes that one sample takes in memory.
            pub const fn bytes(self) -> usize {
                match self {
                    $(Self::$kind => size_of::<$number>(),)*
                }
            }

            /// The smallest and the largest integer of this kind; none for floats.
            pub const fn bounds(self) -> Option<[f64; 2]> {
                match self {
                    $(Self::$kind => kinds!(@bounds $class $number),)*
                }
            }

            fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }

        $(impl Sample for $number {
            const KIND: SampleKind = SampleKind::$kind;

            fn to_f64(self) -> f64 {
                kinds!(@to $class self)
            }

            fn from_f64(value: f64) -> Self {
                kinds!(@from $class value)
            }

            fn into_samples(values: Vec<Self>) -> Samples {
                Samples::$kind(values)
            }

            fn slice(samples: &Samples) -> Option<&[Self]> {
                match samples {
                    Samples::$kind(values) => Some(values),
                    _ => None,
                }
            }

            fn slice_mut(samples: &mut Samples) -> Option<&mut [Self]> {
                match samples {
                    Samples::$kind(values) => Some(values),
                    _ => None,
                }
            }
        })*
    };
    (@bounds integer $number:ident) => { Some([$number::MIN as f64, $number::MAX as f64]) };
    (@bounds $class:ident $number:ident) => { None };
    (@to half $value:expr) => { f64::from($value) };
    (@to $class:ident $value:expr) => { $value as f64 };
    (@from integer $value:expr) => { f64::round($value) as Self };
    (@from float $value:expr) => { $value as Self };
    (@from half $value:expr) => {
        f16::from_f64(match $value {
            value if value.is_finite() => value.clamp(f16::MIN.into(), f16::MAX.into()),
            value => value,
        })
    };
}

kinds! {
    /// 8-bit unsigned integers, 0 to 255.
    U8(u8) "uint8" integer;
    /// 8-bit signed integers.
    I8(i8) "int8" integer;
    /// 16-bit unsigned integers, 0 to 65535.
    U16(u16) "uint16" integer;
    /// 16-bit signed integers.
    I16(i16) "int16" integer;
    /// 32-bit unsigned integers.
    U32(u32) "uint32" integer;
    /// 32-bit signed integers.
    I32(i32) "int32" integer;
    /// 64-bit unsigned integers.
    U64(u64) "uint64" integer;
    /// 64-bit signed integers.
    I64(i64) "int64" integer;
    /// 16-bit floats: numbers up to 65504, infinite ones and NaN.
    F16(f16) "float16" half;
    /// 32-bit floats: any number, infinite ones and NaN included.
    F32(f32) "float32" float;
    /// 64-bit floats: any number, infinite ones and NaN included.
    F64(f64) "float64" float;
}

impl Samples {
    /// How many there are.
    pub fn len(&self) -> usize {
        with_samples!(self, values => values.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their kind.
    pub fn kind(&self) -> SampleKind {
        with_samples!(self, values => kind_of(values))
    }

    /// Bytes that all of them take in memory.
    pub fn bytes(&self) -> usize {
        self.len() * self.kind().bytes()
    }

    /// How many are NaN or infinite, which no integer is.
    pub fn non_finite(&self) -> usize {
        match self {
            Self::F16(values) => values.iter().filter(|value| !value.is_finite()).count(),
            Self::F32(values) => values.iter().filter(|value| !value.is_finite()).count(),
            Self::F64(values) => values.iter().filter(|value| !value.is_finite()).count(),
            _ => 0,
        }
    }

    /// Those of a range.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        with_samples!(self, values => Sample::into_samples(values[range].to_vec()))
    }

    /// Overwrites the samples from index `at` on with `samples`, which are of the same kind.
    pub(crate) fn put(&mut self, at: usize, samples: &Self) {
        with_samples!(self, values => put_in(values, at, samples));
    }

    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        with_samples!(self, values => {
            let tail = values.split_off(at);
            values.shrink_to_fit();
            Sample::into_samples(tail)
        })
    }
}

fn put_in<T: Sample>(values: &mut [T], at: usize, samples: &Samples) {
    let Some(samples) = T::slice(samples) else {
        panic!(
            "samples of the kind {}, put among {}",
            samples.kind(),
            T::KIND
        );
    };
    values[at..][..samples.len()].copy_from_slice(samples);
}

fn kind_of<T: Sample>(_: &[T]) -> SampleKind {
    T::KIND
}

impl SampleKind {
    /// Whether these are floats.
    pub const fn is_float(self) -> bool {
        self.bounds().is_none()
    }

    /// The sample that stands for white where nothing else is said: the largest integer, or 1 for
    /// floats. 0 is black.
    pub fn white(self) -> f64 {
        self.bounds().map_or(1.0, |[_, largest]| largest)
    }
}

impl fmt::Display for SampleKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_round_to_the_nearest_integer() {
        for (value, wanted) in [
            (0.5, 1),
            (-0.5, -1),
            (1.49, 1),
            (126.5, 127),
            (127.5, 127),
            (-128.5, -128),
            (f64::INFINITY, 127),
            (f64::NEG_INFINITY, -128),
            (f64::NAN, 0),
        ] {
            assert_eq!(i8::from_f64(value), wanted, "{value}");
        }
        assert_eq!(u64::from_f64(2.0_f64.powi(64)), u64::MAX);
        assert_eq!(u64::from_f64(-3.0), 0);
        assert_eq!(i64::from_f64(-1e30), i64::MIN);
        assert_eq!(f32::from_f64(0.1), 0.1);
        assert_eq!(f32::from_f64(1e300), f32::INFINITY);
        assert_eq!(f64::from_f64(0.1), 0.1);
        assert_eq!((-7_i16).to_f64(), -7.0);
    }

    #[test]
    fn every_kind_agrees_with_its_samples() {
        let (mut bytes, mut names) = (Vec::new(), Vec::new());
        for kind in SampleKind::ALL {
            let mut samples = Samples::zeros(kind, 3);
            assert_eq!((samples.kind(), samples.len()), (kind, 3));
            assert_eq!(samples.bytes(), 3 * kind.bytes());
            assert_eq!(kind.to_string().contains("float"), kind.is_float());
            with_samples!(&mut samples, values => values[1] = Sample::from_f64(kind.white()));
            let white = with_samples!(&samples, values => values[1].to_f64());
            assert_eq!(white, kind.white(), "{kind}");
            let slice = with_samples!(&samples, values => slice_like(values, &samples));
            assert_eq!(slice, Some(3));
            let tail = samples.split_off(2);
            assert_eq!((tail, samples.len()), (Samples::zeros(kind, 1), 2));
            bytes.push(kind.bytes());
            names.push(kind.to_string());
        }
        assert_eq!(bytes, [1, 1, 2, 2, 4, 4, 8, 8, 2, 4, 8]);
        assert_eq!(
            names[3..=7],
            ["int16", "uint32", "int32", "uint64", "int64"]
        );
        assert_eq!(SampleKind::I16.bounds(), Some([-32768.0, 32767.0]));
        assert_eq!(SampleKind::U32.white(), 4_294_967_295.0);
        assert!(u8::slice(&Samples::I8(vec![1])).is_none());
        assert!(f32::slice_mut(&mut Samples::F64(vec![1.0])).is_none());
    }

    fn slice_like<T: Sample>(_: &[T], samples: &Samples) -> Option<usize> {
        T::slice(samples).map(<[T]>::len)
    }

    #[test]
    fn numbers_that_are_not_finite_are_counted() {
        let floats = vec![1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let singles = floats.iter().map(|&value| value as f32).collect();
        assert_eq!(Samples::F32(singles).non_finite(), 3);
        assert_eq!(Samples::F64(floats).non_finite(), 3);
        assert_eq!(Samples::U64(vec![u64::MAX; 5]).non_finite(), 0);
    }
}
