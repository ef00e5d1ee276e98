//! Which statements stand together: one process a target, unless a value is
//! read between two assignments to it.
//!
//! A rust-hdl kernel is one long sequence; after it has settled, a signal has
//! the value of its last assignment. A read that no later assignment overtakes
//! sees that value wherever it stands, so its target can be a process of its
//! own. Only a read *between* two assignments needs the sequence, and ties the
//! reader and the signal it reads into one process.

use super::expr::Expr;
use super::kernel::Stmt;
use super::net::{NetId, NetKind, Nets};
use crate::error::HdlError;
use std::collections::{BTreeMap, BTreeSet};

/// Combinational logic that drives one net, or several that need their order.
#[derive(Debug)]
pub(super) struct Process {
    /// The nets driven, in order of first assignment.
    pub targets: Vec<NetId>,
    /// The statements that concern them, in order.
    pub body: Vec<Stmt>,
}

impl Process {
    /// Calls `visit` with every expression in the process.
    pub fn values(&self, visit: &mut dyn FnMut(&Expr)) {
        self.body.iter().for_each(|statement| statement.values(visit));
    }
}

type Result<T> = std::result::Result<T, HdlError>;

/// Splits a kernel into processes, in the order of their first assignment.
///
/// # Errors
/// A target that keeps an old value on some path (a latch), or that depends on
/// itself; a child's input that is read.
pub(super) fn split(kernel: &[Stmt], nets: &Nets) -> Result<Vec<Process>> {
    let mut order = Order::default();
    order.walk(kernel);
    let mut groups = order.groups(nets.list.len());

    let mut members: BTreeMap<NetId, Vec<NetId>> = BTreeMap::new();
    let mut first: Vec<NetId> = Vec::new();
    for target in &order.assigned {
        let root = groups.root(*target);
        let group = members.entry(root).or_default();
        if group.is_empty() {
            first.push(root);
        }
        group.push(*target);
    }
    // A long kernel has many targets: only look where each is assigned.
    let mut places: BTreeMap<NetId, BTreeSet<usize>> = BTreeMap::new();
    for (place, statement) in kernel.iter().enumerate() {
        statement.targets(&mut |id| _ = places.entry(id).or_default().insert(place));
    }
    let mut processes = Vec::new();
    for root in first {
        let targets = members.remove(&root).unwrap_or_default();
        let concerned: BTreeSet<usize> =
            targets.iter().filter_map(|target| places.get(target)).flatten().copied().collect();
        let body = keep(concerned.into_iter().map(|place| &kernel[place]), &targets);
        let process = Process { targets, body };
        check(&process, nets)?;
        processes.push(process);
    }
    for reads in order.reads.iter().map(|read| read.net) {
        if matches!(nets.list[reads].kind, NetKind::ChildInput(_)) {
            let what = format!("{} is an input of a child and is read; read what drives it", nets.list[reads].name);
            return Err(HdlError::untranslatable(&nets.module, what));
        }
    }
    Ok(processes)
}

/// Where nets are assigned and read, as positions in the sequence.
#[derive(Default)]
struct Order {
    position: usize,
    /// Nets in order of first assignment.
    assigned: Vec<NetId>,
    /// First and last assignment of each net.
    span: BTreeMap<NetId, (usize, usize)>,
    reads: Vec<Read>,
}

/// A read, and what its value decides.
struct Read {
    net: NetId,
    position: usize,
    targets: Vec<NetId>,
}

impl Order {
    fn walk(&mut self, list: &[Stmt]) {
        for statement in list {
            let mut targets = Vec::new();
            statement.targets(&mut |id| targets.push(id));
            self.position += 1;
            match statement {
                Stmt::Assign { target, value, .. } => {
                    self.read(value, &targets);
                    // The assignment happens after its own reads.
                    self.position += 1;
                    let span = self.span.entry(*target).or_insert_with(|| {
                        self.assigned.push(*target);
                        (self.position, self.position)
                    });
                    span.1 = self.position;
                }
                Stmt::If { test, then, otherwise } => {
                    self.read(test, &targets);
                    self.walk(then);
                    self.walk(otherwise);
                }
                Stmt::Case { test, arms, default } => {
                    self.read(test, &targets);
                    for (_, arm) in arms {
                        self.walk(arm);
                    }
                    self.walk(default);
                }
            }
        }
    }

    fn read(&mut self, value: &Expr, targets: &[NetId]) {
        let position = self.position;
        value.nets(&mut |net| self.reads.push(Read { net, position, targets: targets.to_vec() }));
    }

    /// Ties nets together that need a common sequence.
    fn groups(&self, nets: usize) -> Groups {
        let mut groups = Groups { parent: (0..nets).collect() };
        for read in &self.reads {
            let between = self.span.get(&read.net).is_some_and(|(a, z)| *a < read.position && read.position < *z);
            if between {
                for target in &read.targets {
                    groups.join(read.net, *target);
                }
            }
        }
        groups
    }
}

/// Disjoint sets of nets.
struct Groups {
    parent: Vec<usize>,
}

impl Groups {
    fn root(&mut self, mut id: usize) -> usize {
        while self.parent[id] != id {
            self.parent[id] = self.parent[self.parent[id]];
            id = self.parent[id];
        }
        id
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }
}

/// The statements of `list` that assign one of `targets`, with their conditions.
fn keep<'a>(list: impl IntoIterator<Item = &'a Stmt>, targets: &[NetId]) -> Vec<Stmt> {
    let concerns = |statement: &&Stmt| {
        let mut found = false;
        statement.targets(&mut |id| found |= targets.contains(&id));
        found
    };
    let kept = |statement: &Stmt| match statement {
        Stmt::Assign { .. } => statement.clone(),
        Stmt::If { test, then, otherwise } => {
            Stmt::If { test: test.clone(), then: keep(then, targets), otherwise: keep(otherwise, targets) }
        }
        Stmt::Case { test, arms, default } => Stmt::Case {
            test: test.clone(),
            arms: arms.iter().map(|(label, arm)| (label.clone(), keep(arm, targets))).collect(),
            default: keep(default, targets),
        },
    };
    list.into_iter().filter(concerns).map(kept).collect()
}

/// Bits of each target that are assigned so far.
type Assigned = BTreeMap<NetId, Vec<bool>>;

fn check(process: &Process, nets: &Nets) -> Result<()> {
    let mut assigned: Assigned =
        process.targets.iter().map(|target| (*target, vec![false; nets.list[*target].width])).collect();
    flow(&process.body, &mut assigned, nets)?;
    for (target, bits) in &assigned {
        if !bits.iter().all(|bit| *bit) {
            let what = format!(
                "{} keeps its old value on some path (a latch); assign a default before the condition",
                nets.list[*target].name
            );
            return Err(HdlError::untranslatable(&nets.module, what));
        }
    }
    Ok(())
}

/// Follows the statements and notes which bits are assigned on every path.
fn flow(list: &[Stmt], assigned: &mut Assigned, nets: &Nets) -> Result<()> {
    for statement in list {
        match statement {
            Stmt::Assign { target, offset, value } => {
                readable(value, assigned, nets)?;
                if let Some(bits) = assigned.get_mut(target) {
                    bits[*offset..offset + value.width].fill(true);
                }
            }
            Stmt::If { test, then, otherwise } => {
                readable(test, assigned, nets)?;
                branches([then, otherwise].into_iter(), assigned, nets)?;
            }
            Stmt::Case { test, arms, default } => {
                readable(test, assigned, nets)?;
                branches(arms.iter().map(|(_, arm)| arm).chain([default]), assigned, nets)?;
            }
        }
    }
    Ok(())
}

fn branches<'a>(list: impl Iterator<Item = &'a Vec<Stmt>>, assigned: &mut Assigned, nets: &Nets) -> Result<()> {
    let before = assigned.clone();
    assigned.values_mut().for_each(|bits| bits.fill(true));
    for branch in list {
        let mut after = before.clone();
        flow(branch, &mut after, nets)?;
        for (target, bits) in after {
            if let Some(all) = assigned.get_mut(&target) {
                all.iter_mut().zip(bits).for_each(|(all, bit)| *all &= bit);
            }
        }
    }
    Ok(())
}

/// A process must not read its own targets before they have a value.
fn readable(value: &Expr, assigned: &Assigned, nets: &Nets) -> Result<()> {
    let mut early = None;
    value.nets(&mut |id| {
        if assigned.get(&id).is_some_and(|bits| !bits.iter().all(|bit| *bit)) {
            early = Some(id);
        }
    });
    match early {
        Some(id) => {
            let what = format!("{} is read before it has a value in the same sequence", nets.list[id].name);
            Err(HdlError::untranslatable(&nets.module, what))
        }
        None => Ok(()),
    }
}
