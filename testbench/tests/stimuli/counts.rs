//! What a stimulus exercised, counted with a linear search of its own.

use super::factored_counts::FactoredCounts;
use super::{Held, bus_format};
use axp_spec::{Accumulator, FloatFormat, PeConfig, PeInputs, PeOutputs, RowWrite};

/// Operand pairs and cycles by what they exercised.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Cycles.
    pub cycles: u64,
    /// Operand pairs accepted.
    pub macs: u64,
    /// The lowest matching row compares every bit.
    pub exact_hits: u64,
    /// The lowest matching row ignores bits.
    pub ternary_hits: u64,
    /// A pattern of a grid matches, and there is such a column.
    pub grid_hits: u64,
    /// More than one row matches.
    pub multiple: u64,
    /// No row matches, nothing is skipped.
    pub misses: u64,
    /// Zero activations that are skipped.
    pub skipped: u64,
    /// A row would match, but an operand is infinite or a NaN.
    pub guarded: u64,
    /// Pairs with an infinite or NaN operand.
    pub specials: u64,
    /// Pairs with a subnormal operand.
    pub subnormals: u64,
    /// Activations of +0 and of -0.
    pub zeros: [u64; 2],
    /// Cycles in which the skid buffer is full and the pipe frozen.
    pub frozen: u64,
    /// Row writes together with an accepted pair.
    pub rewrites: u64,
    /// Results taken.
    pub results: u64,
    /// Those with the overflow and with the invalid flag, and with neither.
    pub overflows: u64,
    /// Those with the invalid flag.
    pub invalids: u64,
    /// Those with neither.
    pub clean: u64,
    /// What is special to a factored memory.
    pub factored: FactoredCounts,
}

pub(super) fn special(format: FloatFormat, encoding: u32) -> bool {
    u64::from(encoding) & (format.sign_mask() - 1) > format.largest_finite()
}

pub(super) fn subnormal(format: FloatFormat, encoding: u32) -> bool {
    let fraction = (1 << format.fraction_bits()) - 1;
    u64::from(encoding) & format.exponent_mask() == 0 && u64::from(encoding) & fraction != 0
}

impl Counts {
    /// Adds a run whose outputs are known.
    pub fn add(&mut self, config: &PeConfig, stimulus: &[PeInputs], outputs: &[PeOutputs]) {
        let mut held = Held::new(config);
        for (inputs, outputs) in stimulus.iter().zip(outputs) {
            self.cycles += 1;
            self.frozen += u64::from(!outputs.ready);
            if outputs.valid && inputs.out_ready {
                self.results += 1;
                self.overflows += u64::from(outputs.overflow);
                self.invalids += u64::from(outputs.invalid);
                self.clean += u64::from(!outputs.overflow && !outputs.invalid);
            }
            if inputs.valid && outputs.ready {
                self.rewrites += u64::from(inputs.row.is_some());
                let weight = held.weight(config, inputs.weight, inputs.column);
                self.pair(config, &PeInputs { weight, ..*inputs }, &held.rows);
            }
            inputs.row.iter().for_each(|write| held.row(config, write));
            inputs.codebook.iter().for_each(|write| held.codebook(write));
            inputs.layer.iter().for_each(|layer| held.layer(config, *layer));
        }
    }

    fn pair(&mut self, config: &PeConfig, inputs: &PeInputs, rows: &[Option<RowWrite>]) {
        let format = bus_format(config);
        let (weight, activation) = (inputs.weight, inputs.activation);
        let key = format.key_of(weight, activation);
        let mut matching = rows.iter().flatten().filter(|row| (row.key ^ key) & row.care == 0);
        let lowest = matching.next();
        let sign = format.sign_mask() as u32;
        let zero = activation & (sign - 1) == 0;
        let specials = special(format, weight) || special(format, activation);
        self.macs += 1;
        self.subnormals += u64::from(subnormal(format, weight) || subnormal(format, activation));
        self.specials += u64::from(specials);
        if zero {
            self.zeros[usize::from(activation & sign != 0)] += 1;
        }
        if zero && inputs.zero_skip {
            self.skipped += 1;
            return;
        }
        if let Some(shape) = config.factored_memory() {
            self.misses += u64::from(!self.factored.add(config, shape, inputs, rows));
            return;
        }
        if let Some(shape) = config.grid_memory() {
            let column = inputs.column % (1 << shape.column_bits());
            let magnitude = u64::from(activation & (sign - 1));
            let matches = |row: &&RowWrite| (row.key ^ magnitude) & row.care == 0;
            let found = rows.iter().flatten().filter(matches).any(|row| shape.place(row.address).unwrap().1 == column);
            let count = if found && specials {
                &mut self.guarded
            } else if found {
                &mut self.grid_hits
            } else {
                &mut self.misses
            };
            *count += 1;
            return;
        }
        match lowest {
            Some(_) if specials => self.guarded += 1,
            Some(row) => {
                self.multiple += u64::from(matching.next().is_some());
                if row.care == format.key_mask() {
                    self.exact_hits += 1;
                } else {
                    self.ternary_hits += 1;
                }
            }
            None => self.misses += 1,
        }
    }

    /// Fails unless the stimuli have done what the issue asks of them, and
    /// have reached every corner that they are meant to reach.
    pub fn assert_cover(&self, config: &PeConfig) {
        let share = |part: u64| part as f64 / self.macs as f64;
        let mut corners = vec![self.misses, self.skipped, self.specials, self.subnormals, self.frozen];
        corners.extend([self.zeros[0], self.zeros[1], self.results, self.clean]);
        if config.is_frozen() || config.has_codebook() {
            // What the content allows differs; hits there must be.
            let hits = self.grid_hits + self.ternary_hits + self.exact_hits + self.factored.hits();
            assert!(share(hits) >= 0.2, "hits {:.3}: {self:?}", share(hits));
            corners.extend((!config.is_frozen()).then_some(self.rewrites));
        } else if config.grid_memory().is_some() {
            corners.extend([self.guarded, self.rewrites]);
            assert!(share(self.grid_hits) >= 0.3, "hits {:.3}: {self:?}", share(self.grid_hits));
        } else if let Some(shape) = config.factored_memory() {
            corners.push(self.rewrites);
            self.factored.assert_cover(config, shape, self.macs);
        } else if config.am.is_some() {
            corners.extend([self.guarded, self.rewrites]);
            self.assert_hits(config, share);
        }
        // A frozen range is that of a layer, and no NaN need be offered to a codebook.
        if matches!(config.accumulator, Accumulator::Fixed { .. }) && !config.is_frozen() && !config.has_codebook() {
            corners.extend([self.overflows, self.invalids]);
        }
        assert!(corners.iter().all(|count| *count > 0), "{self:?}");
    }

    fn assert_hits(&self, config: &PeConfig, share: impl Fn(u64) -> f64) {
        assert!(share(self.exact_hits) >= 0.30, "exact hits {:.3}: {self:?}", share(self.exact_hits));
        assert!(share(self.ternary_hits) >= 0.20, "don't-care hits {:.3}: {self:?}", share(self.ternary_hits));
        if config.rows() > 1 {
            assert!(share(self.multiple) >= 0.05, "multiple matches {:.3}: {self:?}", share(self.multiple));
        }
    }
}
