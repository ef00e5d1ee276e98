//! What a PE holds, as far as the stimuli have written it or it is frozen.

use axp_spec::{CodebookWrite, PeConfig, RowWrite};
use std::collections::BTreeSet;

/// Valid rows by address, and the magnitudes of the columns.
pub(super) struct Held {
    pub rows: Vec<Option<RowWrite>>,
    magnitudes: Vec<u32>,
    /// Patterns of a grid whose products have all been written; those of the others are
    /// unknown in hardware.
    known: BTreeSet<u32>,
}

impl Held {
    /// After reset.
    pub fn new(config: &PeConfig) -> Self {
        let columns = if config.has_codebook() { config.columns().unwrap() } else { 0 };
        // The addresses of a grid have gaps.
        let rows = if config.grid_memory().is_some() { 1 << config.row_address_bits() } else { config.rows() };
        let mut held = Self { rows: vec![None; rows], magnitudes: vec![0; columns as usize], known: BTreeSet::new() };
        if config.is_frozen() {
            held.layer(config, 0);
        }
        held
    }

    /// The writes that make a first write to a pattern of a grid one that all its
    /// products are known after.
    pub fn whole(&mut self, config: &PeConfig, write: RowWrite) -> Vec<RowWrite> {
        let place = config.grid_memory().and_then(|shape| shape.place(write.address).map(|place| (shape, place.0)));
        match place {
            Some((shape, pattern)) if self.known.insert(pattern) => {
                let product = |column: u32| write.product >> (column % 3);
                let row =
                    |column| RowWrite { address: shape.address(pattern, column), product: product(column), ..write };
                (0..shape.columns).map(row).collect()
            }
            _ => vec![write],
        }
    }

    /// Whether a write leaves no product unknown that can be read.
    pub fn is_known(&self, config: &PeConfig, write: &RowWrite) -> bool {
        let place = config.grid_memory().and_then(|shape| shape.place(write.address));
        place.is_none_or(|(pattern, _)| self.known.contains(&pattern))
    }

    /// A write through the row port.
    pub fn row(&mut self, config: &PeConfig, write: &RowWrite) {
        let Some(shape) = config.grid_memory() else {
            if let Some(row) = self.rows.get_mut(write.address as usize) {
                *row = write.valid.then_some(*write);
            }
            return;
        };
        let Some((pattern, _)) = shape.place(write.address) else { return };
        for column in 0..shape.columns {
            let address = shape.address(pattern, column);
            self.rows[address as usize] = write.valid.then_some(RowWrite { address, ..*write });
        }
    }

    /// A write to the codebook.
    pub fn codebook(&mut self, write: &CodebookWrite) {
        if let Some(magnitude) = self.magnitudes.get_mut(write.column as usize) {
            *magnitude = write.magnitude;
        }
    }

    /// A write to the layer register.
    pub fn layer(&mut self, config: &PeConfig, layer: u32) {
        let layer = config.frozen_layers().get(layer as usize).cloned().unwrap_or_default();
        self.rows.iter_mut().for_each(|row| *row = None);
        for write in layer.am.writes(config) {
            self.row(config, &write);
        }
        (0..).zip(&mut self.magnitudes).for_each(|(column, magnitude)| *magnitude = layer.magnitude(column));
    }

    /// The weight that the PE multiplies with: where weights are given by index, that of
    /// the column with the sign of `weight`.
    pub fn weight(&self, config: &PeConfig, weight: u32, column: u32) -> u32 {
        if !config.has_codebook() {
            return weight;
        }
        let column = column % (1 << config.column_bits().unwrap());
        weight & config.format.sign_mask() as u32 | self.magnitudes.get(column as usize).copied().unwrap_or(0)
    }
}
