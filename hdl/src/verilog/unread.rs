//! Bits that nothing reads, gathered so that lint tools know they are meant.

use super::expr::{Expr, Kind};
use super::net::{NetId, NetKind, Nets};
use super::process::Process;
use std::collections::{BTreeMap, HashMap};

/// Which bits of each net are read.
pub(super) struct Reads {
    bits: BTreeMap<NetId, Vec<bool>>,
    aliases: HashMap<NetId, NetId>,
}

impl Reads {
    /// Collects what `processes` and the connections of instances read. A net
    /// with an alias counts as the one that gives it its name.
    pub fn of<'a>(
        nets: &Nets,
        aliases: &HashMap<NetId, NetId>,
        processes: &[Process],
        connections: impl Iterator<Item = &'a Expr>,
    ) -> Self {
        let mut reads = Self { bits: BTreeMap::new(), aliases: aliases.clone() };
        for process in processes {
            process.values(&mut |value| reads.add(nets, value));
        }
        connections.for_each(|value| reads.add(nets, value));
        reads
    }

    /// Whether any bit of the net is read.
    pub fn any(&self, id: NetId) -> bool {
        self.bits.contains_key(&id)
    }

    /// The parts that are not read of nets with others that are. Outputs and
    /// constants need no reader.
    pub fn unread(&self, nets: &Nets) -> Vec<Expr> {
        let mut ranges = Vec::new();
        for (id, bits) in &self.bits {
            if matches!(nets.list[*id].kind, NetKind::Output | NetKind::Constant(_)) {
                continue;
            }
            let mut start = 0;
            for run in bits.chunk_by(|a, b| a == b) {
                if !run[0] {
                    ranges.push(Expr::slice(Expr::net(*id, bits.len()), start, run.len()));
                }
                start += run.len();
            }
        }
        ranges
    }

    fn add(&mut self, nets: &Nets, value: &Expr) {
        if let Kind::Slice(base, offset) = &value.kind
            && let Kind::Net(id) = base.kind
        {
            return self.mark(nets, id, *offset, value.width);
        }
        if let Kind::Net(id) = value.kind {
            return self.mark(nets, id, 0, value.width);
        }
        value.operands(&mut |operand| self.add(nets, operand));
    }

    fn mark(&mut self, nets: &Nets, id: NetId, offset: usize, width: usize) {
        let id = self.aliases.get(&id).copied().unwrap_or(id);
        let bits = self.bits.entry(id).or_insert_with(|| vec![false; nets.list[id].width]);
        bits[offset..offset + width].fill(true);
    }
}
