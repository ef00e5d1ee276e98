//! Pipeline cuts.

use crate::circuit::{Circuit, Value, concat};

/// The register banks of a unit, one a cut; none in a combinational unit.
pub(super) struct Cuts {
    enable: Option<Value>,
    made: u32,
    wanted: u32,
}

impl Cuts {
    /// Declares the ports that `cuts` register banks need.
    pub fn new(c: &mut Circuit, cuts: u32) -> Self {
        let enable = (cuts > 0).then(|| {
            c.clock();
            c.test_enable();
            c.input("en_i", cuts, "clocks the registers of each cut, the first at bit 0")
        });
        Self { enable, made: 0, wanted: cuts }
    }

    /// Registers `live`, all that later parts read, if a cut belongs here.
    pub fn cut(&mut self, c: &mut Circuit, here: bool, live: &mut [&mut Value]) {
        let Some(enable) = self.enable.as_ref().filter(|_| here) else { return };
        let name = format!("cut_{}", self.made);
        let word = concat(&live.iter().map(|value| &**value).collect::<Vec<_>>());
        let stored = c.register(&name, &word, &enable.bit(self.made));
        let mut low = word.width();
        for value in live {
            low -= value.width();
            **value = stored.slice(low, value.width());
        }
        self.made += 1;
    }

    /// Checks that every cut has been made.
    pub fn finish(self) {
        assert_eq!(self.made, self.wanted, "pipeline cuts");
    }
}
