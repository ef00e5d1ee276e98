//! What a stimulus exercised of a factored memory, with arithmetic of its own.

use super::counts::{special, subnormal};
use axp_spec::{FactoredConfig, FloatFormat, PeConfig, PeInputs, RowWrite};

/// Operand pairs that are not skipped, by what the memory makes of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct FactoredCounts {
    /// Hits on a row whose word is below 2, and on one of 2 or more.
    pub row_hits: [u64; 2],
    /// Those whose exponent field is the least and the greatest.
    pub least: u64,
    /// See `least`.
    pub greatest: u64,
    /// Hits by a weight of zero, and by an activation of zero alone.
    pub zero_hits: [u64; 2],
    /// The row is valid, and an operand subnormal.
    pub subnormals: u64,
    /// The row is valid, and an operand infinite or a NaN.
    pub specials: u64,
    /// The row is valid and the product too small, or too large.
    pub too_small: u64,
    /// See `too_small`.
    pub too_large: u64,
    /// The exponent field is the greatest, and the whole no number all the same.
    pub nan_words: u64,
    /// The row is not valid.
    pub invalid: u64,
    /// There is no such column.
    pub no_column: u64,
}

impl FactoredCounts {
    /// Counts a pair; returns whether it is a hit.
    pub fn add(
        &mut self,
        config: &PeConfig,
        shape: FactoredConfig,
        inputs: &PeInputs,
        rows: &[Option<RowWrite>],
    ) -> bool {
        let format = config.format;
        let pair = [inputs.weight, inputs.activation];
        let column = inputs.column % (1 << shape.column_bits());
        let fraction = inputs.activation % (1 << format.fraction_bits());
        let address =
            column * (1 << shape.mantissa_bits) + fraction / (1 << (format.fraction_bits() - shape.mantissa_bits));
        let row = rows.get(address as usize).copied().flatten();
        let zeros = pair.map(|bits| u64::from(bits) % format.sign_mask() == 0);
        let odd = |test: fn(FloatFormat, u32) -> bool| pair.iter().any(|bits| test(format, *bits));
        if odd(special) || odd(subnormal) {
            self.specials += u64::from(row.is_some() && odd(special));
            self.subnormals += u64::from(row.is_some() && odd(subnormal));
            return false;
        }
        if zeros[0] || zeros[1] {
            self.zero_hits[usize::from(!zeros[0])] += 1;
            return true;
        }
        let Some(row) = row else {
            let past = column >= shape.columns;
            *(if past { &mut self.no_column } else { &mut self.invalid }) += 1;
            return false;
        };
        let unit = 1 << (config.product_bits() - 1);
        let doubled = row.product >= unit;
        let field = |bits: u32| i64::from(bits >> format.fraction_bits()) % (1 << format.exponent_bits());
        let exponent = field(pair[0]) + field(pair[1]) - i64::from(format.bias()) + i64::from(doubled);
        let greatest = (1i64 << format.exponent_bits()) - if format.has_infinity() { 2 } else { 1 };
        let all_ones = config.product_bits() > format.fraction_bits() && row.product % unit == unit - 1;
        let nan = !format.has_infinity() && exponent == greatest && all_ones;
        self.too_small += u64::from(exponent < 1);
        self.too_large += u64::from(exponent > greatest);
        self.nan_words += u64::from(nan);
        if !(1..=greatest).contains(&exponent) || nan {
            return false;
        }
        self.row_hits[usize::from(doubled)] += 1;
        self.least += u64::from(exponent == 1);
        self.greatest += u64::from(exponent == greatest);
        true
    }

    /// All hits.
    pub fn hits(&self) -> u64 {
        self.row_hits.iter().chain(&self.zero_hits).sum()
    }

    /// Fails unless every corner was reached, by hits above all.
    pub fn assert_cover(&self, config: &PeConfig, shape: FactoredConfig, macs: u64) {
        let share = |part: u64| part as f64 / macs as f64;
        let [below, above] = self.row_hits;
        let [by_weight, by_activation] = self.zero_hits;
        assert!(share(below) >= 0.15 && share(above) >= 0.15, "{macs} pairs: {self:?}");
        assert!(share(by_weight) >= 0.03, "{macs} pairs: {self:?}");
        let mut corners = vec![self.least, self.greatest, by_activation, self.subnormals, self.specials];
        corners.extend([self.too_small, self.too_large, self.invalid]);
        if !shape.columns.is_power_of_two() || shape.columns == 1 {
            corners.push(self.no_column);
        }
        if !config.format.has_infinity() && config.product_bits() > config.format.fraction_bits() {
            corners.push(self.nan_words);
        }
        assert!(corners.iter().all(|count| *count > 0), "{self:?}");
    }
}
