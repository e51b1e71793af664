//! Floats of 16 bits.

/// The value of the 16-bit float with these bits: a sign, 5 bits of exponent, 10 of fraction.
pub(crate) fn f16_to_f32(bits: u16) -> f32 {
    let (exponent, fraction) = (bits >> 10 & 0x1f, bits & 0x3ff);
    let magnitude = match exponent {
        // 2^-24 is the smallest step; the product is exact.
        0 => f32::from(fraction) * 2.0_f32.powi(-24),
        0x1f => f32::from_bits(0xff << 23 | u32::from(fraction) << 13),
        _ => f32::from_bits((u32::from(exponent) + 127 - 15) << 23 | u32::from(fraction) << 13),
    };
    f32::from_bits(magnitude.to_bits() | u32::from(bits & 0x8000) << 16)
}

/// The value of the brain float with these bits: the upper half of a 32-bit float.
pub(crate) fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_floats_have_the_values_of_ieee_754() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x3c00, 1.0),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
            (0xc000, -2.0),
        ] {
            assert_eq!(f16_to_f32(bits), value, "{bits:#06x}");
        }
        assert!(f16_to_f32(0x7e00).is_nan());
        assert!(f16_to_f32(0x8000).is_sign_negative());
    }

    #[test]
    fn brain_floats_have_the_exponents_of_32_bit_floats() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3f80, 1.0),
            (0x3eab, 0.333_984_38),
            (0xc049, -3.140_625),
            (0x7f7f, 3.389_531_4e38),
            (0x7f80, f32::INFINITY),
        ] {
            assert_eq!(bf16_to_f32(bits), value, "{bits:#06x}");
        }
        assert!(bf16_to_f32(0x7fc0).is_nan());
    }
}
