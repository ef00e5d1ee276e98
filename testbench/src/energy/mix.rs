//! What a hit, a miss and a zero use, told apart in a stream that mixes them.
//!
//! A pair is at work for several cycles, one stage further in each, so no cycle
//! belongs to one pair: while it is looked up, the pair before it is multiplied
//! and the one before that is added. Cycles are therefore classed by the kinds of
//! the last [`DEPTH`] pairs together ([`History`]), and the mean energies of these
//! classes are explained as a constant and one term for each kind at each place,
//! by weighted least squares. A kind's figure is what a cycle would use if all
//! pairs were of this kind. Sums over all cycles do not depend on any of this.

/// What became of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Its product came from the memory.
    Hit,
    /// It was multiplied.
    Miss,
    /// Its activation was ±0: skipped, if the zero-skip bit is on.
    Zero,
}

impl Kind {
    /// All kinds, each at its own place.
    pub const ALL: [Self; 3] = [Self::Hit, Self::Miss, Self::Zero];
}

/// How many pairs a cycle's energy depends on: one in each stage, from the input
/// bus to the accumulator.
pub const DEPTH: usize = 4;

/// How many classes of cycles that makes.
pub const CLASSES: usize = Kind::ALL.len().pow(DEPTH as u32);

/// Fewest cycles whose pair is of a kind for which a figure is stated.
const LEAST_CYCLES: f64 = 32.0;

/// The kinds of the last pairs, the one on the input bus in the lowest digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History(usize);

impl History {
    /// All of one kind.
    pub const fn of(kind: Kind) -> Self {
        let mut code = 0;
        let mut place = 0;
        while place < DEPTH {
            code = code * Kind::ALL.len() + kind as usize;
            place += 1;
        }
        Self(code)
    }

    /// With the next pair.
    pub const fn then(self, kind: Kind) -> Self {
        Self(self.0 * Kind::ALL.len() % CLASSES + kind as usize)
    }

    /// Its class, below [`CLASSES`].
    pub const fn class(self) -> usize {
        self.0
    }
}

/// The kind at a place of a class, 0 being the pair on the input bus.
pub const fn kind_at(class: usize, place: usize) -> usize {
    class / Kind::ALL.len().pow(place as u32) % Kind::ALL.len()
}

/// Cycles of one class: how many, weighted, and their mean energy in any unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observed {
    /// The class.
    pub class: usize,
    /// Its cycles, each as often as it counts.
    pub weight: f64,
    /// Mean energy of one.
    pub mean: f64,
}

/// The energy of a cycle if all pairs were of one kind, for each kind, in the unit
/// of the means; `None` where the stream does not tell. `cycles` is how many were
/// measured.
pub fn by_kind(observed: &[Observed], cycles: f64) -> [Option<f64>; 3] {
    let total: f64 = observed.iter().map(|class| class.weight).sum();
    let mut shares = [0.0; 3];
    for class in observed {
        shares[kind_at(class.class, 0)] += class.weight / total;
    }
    // The most frequent kind is the constant, the others are differences from it.
    let base = (0..3).fold(0, |best, kind| if shares[kind] > shares[best] { kind } else { best });
    let others: Vec<usize> = (0..3).filter(|kind| *kind != base && shares[*kind] * cycles >= LEAST_CYCLES).collect();
    let terms = |class: usize| {
        let places = others.iter().flat_map(|kind| (0..DEPTH).map(move |place| (*kind, place)));
        let terms = places.map(|(kind, place)| f64::from(u8::from(kind_at(class, place) == kind)));
        std::iter::once(1.0).chain(terms).collect::<Vec<f64>>()
    };
    let size = 1 + others.len() * DEPTH;
    let mut normal = vec![vec![0.0; size + 1]; size];
    for class in observed {
        let mut row = terms(class.class);
        row.push(class.mean);
        for (i, equation) in normal.iter_mut().enumerate() {
            for (sum, value) in equation.iter_mut().zip(&row) {
                *sum += class.weight / total * row[i] * value;
            }
        }
    }
    let mut found = [None; 3];
    if let Some(solution) = solve(normal) {
        found[base] = Some(solution[0]);
        for (of, kind) in solution[1..].chunks_exact(DEPTH).zip(&others) {
            found[*kind] = Some(solution[0] + of.iter().sum::<f64>());
        }
    }
    found
}

/// Solves equations, the right side in the last column, by elimination; `None`
/// where they do not determine the unknowns.
fn solve(mut equations: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    let size = equations.len();
    for step in 0..size {
        let pivot = (step..size).max_by(|a, b| equations[*a][step].abs().total_cmp(&equations[*b][step].abs()))?;
        equations.swap(step, pivot);
        let size = equations[step][step].abs();
        if size.is_nan() || size <= 1e-9 {
            return None;
        }
        let (done, rest) = equations.split_at_mut(step + 1);
        for equation in rest {
            let factor = equation[step] / done[step][step];
            equation.iter_mut().zip(&done[step]).skip(step).for_each(|(value, of)| *value -= factor * of);
        }
    }
    let mut solution = vec![0.0; size];
    for row in (0..size).rev() {
        let known: f64 = (row + 1..size).map(|column| equations[row][column] * solution[column]).sum();
        solution[row] = (equations[row][size] - known) / equations[row][row];
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Energy of a cycle by what is in each stage.
    const USES: [[f64; DEPTH]; 3] = [[5.0, 1.0, 3.0, 0.5], [5.0, 40.0, 3.5, 0.5], [4.0, 0.0, 0.0, 0.25]];

    fn stream(kinds: &[Kind], rounds: usize) -> Vec<Observed> {
        let mut sums = vec![(0.0, 0.0); CLASSES];
        let mut history = History::of(kinds[0]);
        for number in 0..rounds {
            let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            history = history.then(kinds[mixed as usize % kinds.len()]);
            let energy: f64 = (0..DEPTH).map(|place| USES[kind_at(history.class(), place)][place]).sum();
            sums[history.class()].0 += 1.0;
            sums[history.class()].1 += energy;
        }
        let observed = sums.into_iter().enumerate().filter(|(_, (cycles, _))| *cycles > 0.0);
        observed.map(|(class, (weight, sum))| Observed { class, weight, mean: sum / weight }).collect()
    }

    #[test]
    fn kinds_are_told_apart_in_a_mixed_stream() {
        let found = by_kind(&stream(&[Kind::Hit, Kind::Hit, Kind::Miss, Kind::Zero], 4000), 4000.0);
        for (kind, found) in USES.iter().zip(found) {
            let expected: f64 = kind.iter().sum();
            assert!((found.unwrap() - expected).abs() < 1e-6, "{found:?} {expected}");
        }
    }

    #[test]
    fn what_does_not_occur_has_no_figure() {
        let found = by_kind(&stream(&[Kind::Hit], 100), 100.0);
        assert!((found[Kind::Hit as usize].unwrap() - 9.5).abs() < 1e-9);
        assert_eq!((found[Kind::Miss as usize], found[Kind::Zero as usize]), (None, None));
        let found = by_kind(&stream(&[Kind::Miss, Kind::Zero], 1000), 1000.0);
        assert_eq!(found[Kind::Hit as usize], None);
        assert!((found[Kind::Miss as usize].unwrap() - 49.0).abs() < 1e-6);
        // A handful of cycles do not make a figure.
        let found = by_kind(&stream(&[Kind::Miss, Kind::Zero], 40), 40.0);
        assert!(found.iter().flatten().count() <= 2);
        assert_eq!(by_kind(&[], 0.0), [None; 3]);
    }

    #[test]
    fn histories_shift() {
        let history = History::of(Kind::Zero).then(Kind::Hit).then(Kind::Miss);
        let kinds: Vec<usize> = (0..DEPTH).map(|place| kind_at(history.class(), place)).collect();
        assert_eq!(kinds, [1, 0, 2, 2]);
        assert!(History::of(Kind::Zero).class() == CLASSES - 1);
    }
}
