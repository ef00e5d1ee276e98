//! The memory itself: rows with valid bits, the loader, the row port, the search.

use super::factored::Factored;
use super::grid::Grid;
use super::{LoadError, Operands, Pattern};
use crate::float;
use axp_spec::{AmImage, AmRow, CodebookWrite, FloatFormat, LayerMemory, Organisation, PeConfig, RowWrite};

/// An associative memory of a fixed number of rows, each valid or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Am {
    config: PeConfig,
    content: Content,
    /// The magnitude of each column, where weights are given by index.
    magnitudes: Vec<u32>,
    /// In a frozen memory the range of the layer that runs.
    range: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    /// The valid ternary rows in ascending order of their index.
    Pair(Vec<Row>),
    /// Patterns of the activation, a product a column.
    Grid(Grid),
    /// Products of significands.
    Factored(Factored),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    key: u64,
    care: u64,
    product: u32,
    index: u32,
}

impl Row {
    fn new(index: u32, key: u64, care: u64, product: u32) -> Self {
        let pattern = Pattern::new(key, care);
        Self { key: pattern.key(), care: pattern.care(), product, index }
    }
}

/// What a successful search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hit {
    /// Index of the lowest matching row.
    pub row: usize,
    /// The product that it stores, see [`AmRow::product`].
    pub product: u32,
}

impl Am {
    /// A memory as `config` describes it after reset: all rows invalid and all
    /// magnitudes 0, or if it is frozen with its first layer.
    pub fn new(config: &PeConfig) -> Self {
        let content = match config.organisation() {
            Some(Organisation::Factored(shape)) => Content::Factored(Factored::new(config, shape)),
            Some(Organisation::Grid(shape)) => Content::Grid(Grid::new(config, shape)),
            Some(Organisation::Pair) | None => Content::Pair(Vec::new()),
        };
        let columns = if config.has_codebook() { config.columns().unwrap_or(0) } else { 0 };
        let mut memory =
            Self { config: config.clone(), content, magnitudes: vec![0; columns as usize], range: None };
        if config.is_frozen() {
            memory.select_layer(0);
        }
        memory
    }

    /// Puts another layer into the register of a frozen memory; any other memory
    /// has none. A layer that there is not is empty.
    pub fn select_layer(&mut self, layer: u32) {
        let Some(bits) = self.config.layer_bits() else { return };
        // The port is as wide as a layer id.
        let layer = (layer & ((1 << bits) - 1)) as usize;
        let layer = self.config.frozen_layers().get(layer).cloned().unwrap_or_default();
        self.put(&layer.am);
        self.put_magnitudes(&layer);
        self.range = Some(layer.range);
    }

    /// The range of the layer that runs, if the memory is frozen.
    pub fn range(&self) -> Option<u32> {
        self.range
    }

    /// The operands of a pair on the bus: where weights are given by index, the
    /// magnitude of the weight is that of its column, 0 past the last one.
    #[inline]
    pub fn operands(&self, bus: Operands) -> Operands {
        let Some(bits) = self.config.column_bits().filter(|_| self.config.has_codebook()) else { return bus };
        // The port is as wide as a column id.
        let magnitude = self.magnitudes.get((bus.column & ((1 << bits) - 1)) as usize).copied().unwrap_or(0);
        let sign = bus.weight & self.config.format.sign_mask() as u32;
        Operands { weight: sign | magnitude, ..bus }
    }

    /// How many rows the memory has, valid or not.
    pub fn capacity(&self) -> usize {
        self.config.rows()
    }

    /// How many rows are valid.
    pub fn valid_rows(&self) -> usize {
        match &self.content {
            Content::Pair(rows) => rows.len(),
            Content::Grid(memory) => memory.valid_rows(),
            Content::Factored(memory) => memory.valid_rows(),
        }
    }

    /// Replaces the whole content: the image's rows become valid, all others
    /// invalid.
    ///
    /// # Errors
    /// [`LoadError`] for the first row that breaks a rule; the memory is then
    /// unchanged.
    pub fn load(&mut self, image: &AmImage) -> Result<(), LoadError> {
        image.validate(&self.config)?;
        match &self.content {
            Content::Pair(_) => {
                for (index, row) in image.rows.iter().enumerate().filter(|_| !self.config.stores_units()) {
                    check_exact_product(self.config.format, index, row)?;
                }
            }
            // The weight of a column is not known here, see `load_layer`.
            Content::Grid(_) => {}
            Content::Factored(memory) => {
                for (index, row) in image.rows.iter().enumerate() {
                    check_exact_word(&self.config, memory, index, row)?;
                }
            }
        }
        self.put(image);
        Ok(())
    }

    /// Replaces the whole content: rows, and magnitudes where weights are given by
    /// index. Which layer a frozen memory holds is up to [`Am::select_layer`]; here
    /// the layer is checked only.
    ///
    /// # Errors
    /// As [`Am::load`], and magnitudes that break a rule.
    pub fn load_layer(&mut self, layer: &LayerMemory) -> Result<(), LoadError> {
        layer.validate(&self.config)?;
        let mut loaded = self.clone();
        loaded.load(&layer.am)?;
        if let (Content::Grid(memory), Some(shape), true) =
            (&self.content, self.config.grid_memory(), self.config.has_codebook())
        {
            let format = self.config.format;
            for (index, row) in layer.am.rows.iter().enumerate() {
                let weight = layer.magnitude(shape.parts(format, row.key).0);
                if let Some(activation) = memory.exact_activation(row) {
                    check_product(format, index, (weight, activation), row.product.0)?;
                }
            }
        }
        if !self.config.is_frozen() {
            loaded.put_magnitudes(layer);
            *self = loaded;
        }
        Ok(())
    }

    /// Rows that have been checked.
    fn put(&mut self, image: &AmImage) {
        match &mut self.content {
            Content::Pair(rows) => {
                let new = image.rows.iter().zip(0..);
                *rows = new.map(|(row, index)| Row::new(index, row.key, row.care, row.product.0)).collect();
            }
            Content::Grid(memory) => memory.load(&image.rows),
            Content::Factored(memory) => memory.load(&image.rows),
        }
    }

    fn put_magnitudes(&mut self, layer: &LayerMemory) {
        (0..).zip(&mut self.magnitudes).for_each(|(column, magnitude)| *magnitude = layer.magnitude(column));
    }

    /// A write to the codebook, as the hardware does it: a column past the last
    /// one writes nothing, and neither does any in a PE without a codebook.
    pub fn write_codebook(&mut self, write: &CodebookWrite) {
        if let Some(magnitude) = self.magnitudes.get_mut(write.column as usize).filter(|_| !self.config.is_frozen()) {
            *magnitude = write.magnitude & (self.config.format.sign_mask() - 1) as u32;
        }
    }

    /// A write through the row port, as the hardware does it: nothing is
    /// checked, and an address past the last row writes nothing.
    pub fn write(&mut self, write: &RowWrite) {
        let past = write.address as usize >= self.capacity();
        match &mut self.content {
            // A grid has gaps where its columns are no power of two.
            Content::Grid(memory) => memory.write(write),
            _ if past => {}
            Content::Pair(rows) => write_pair(rows, &self.config, write),
            Content::Factored(memory) => memory.write(write),
        }
    }

    /// The product that the memory gives the pair on the bus, or `None`
    /// on a miss: an encoding in the PE's format, or for [`PeConfig::stores_units`]
    /// an integer of [`PeConfig::product_bits`], one bit more from a grid.
    #[inline]
    pub fn product(&self, operands: Operands) -> Option<u32> {
        match &self.content {
            Content::Pair(_) => self.search(operands.weight, operands.activation).map(|hit| hit.product),
            Content::Grid(memory) => memory.product(self.operands(operands)),
            Content::Factored(memory) => memory.product(self.operands(operands)),
        }
    }

    /// The lowest valid ternary row that matches the pair, or `None` on a miss.
    /// A memory of another organisation has no such rows.
    #[inline]
    pub fn search(&self, weight: u32, activation: u32) -> Option<Hit> {
        let Content::Pair(rows) = &self.content else { return None };
        let format = self.config.format;
        if format.is_special(u64::from(weight)) || format.is_special(u64::from(activation)) {
            return None;
        }
        let key = format.key_of(weight, activation);
        let row = rows.iter().find(|row| (row.key ^ key) & row.care == 0)?;
        Some(Hit { row: row.index as usize, product: row.product })
    }
}

fn write_pair(rows: &mut Vec<Row>, config: &PeConfig, write: &RowWrite) {
    let position = rows.binary_search_by_key(&write.address, |row| row.index);
    // The port is as wide as the format.
    let keys = config.format.key_mask();
    let product = write.product & (u64::MAX >> (64 - config.product_bits())) as u32;
    let row = Row::new(write.address, write.key & keys, write.care & keys, product);
    match (position, write.valid) {
        (Ok(at), true) => rows[at] = row,
        (Ok(at), false) => drop(rows.remove(at)),
        (Err(at), true) => rows.insert(at, row),
        (Err(_), false) => {}
    }
}

/// Number rule 2: a hit on a row without a don't-care bit equals the miss.
fn check_exact_product(format: FloatFormat, index: usize, row: &AmRow) -> Result<(), LoadError> {
    if row.is_exact(format) { check_product(format, index, format.operands_of(row.key), row.product.0) } else { Ok(()) }
}

fn check_product(format: FloatFormat, row: usize, operands: (u32, u32), stored: u32) -> Result<(), LoadError> {
    let (weight, activation) = operands;
    let expected = float::mul(format, u64::from(weight), u64::from(activation)).bits as u32;
    if stored == expected {
        return Ok(());
    }
    Err(LoadError::ExactProduct { row, weight, activation, stored, expected })
}

/// The same for the significands of a factored memory.
fn check_exact_word(config: &PeConfig, memory: &Factored, index: usize, row: &AmRow) -> Result<(), LoadError> {
    let stored = row.product.0;
    match (memory.exact_word(row), config.factored_memory()) {
        (Some(expected), Some(shape)) if expected != stored => {
            let (_, weight, activation) = shape.parts(config.format, row.key);
            Err(LoadError::ExactSignificand { row: index, weight, activation, stored, expected })
        }
        _ => Ok(()),
    }
}
