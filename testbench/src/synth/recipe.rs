//! ABC scripts: different points between small and fast, tried in turn.

/// One ABC script. `target` is the delay in ps that mapping and sizing aim at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Name in reports.
    pub name: &'static str,
    /// How the logic is rewritten before it is mapped.
    restructure: &'static str,
    /// The mapping, `{D}` being the option with the delay target.
    map: &'static str,
}

/// Every recipe ends so: order the gates, buffer large fan-outs, and size.
const SIZE: &str = "topo; buffer -c; topo; upsize {D}; dnsize {D}";

/// Rewriting for area.
const SMALL: &str = "strash; ifraig; scorr; dc2; resub -K 8; rewrite -z; balance; resub -K 10 -N 2; refactor -z; dc2";
/// Rewriting for depth, area recovered.
const EVEN: &str = "strash; ifraig; scorr; if -g -K 6; dc2";
/// The same twice: shallower.
const SHALLOW: &str = "strash; ifraig; scorr; if -g -K 6; dc2; if -g -K 6; dc2";
/// Depth before all else.
const FLAT: &str = "strash; ifraig; scorr; dc2; if -g -K 6 -C 8; dc2; dch -f; if -g";

/// The recipes, in the order they are tried. Two mappings: the area-biased one
/// (`-B`), and the plain one, which follows the target more closely.
pub const RECIPES: &[Recipe] = &[
    Recipe { name: "small", restructure: SMALL, map: "dch -f; map -B 0.9 {D}" },
    Recipe { name: "small-plain", restructure: SMALL, map: "dch -f; map {D}" },
    Recipe { name: "even", restructure: EVEN, map: "dch; map -B 0.9 {D}" },
    Recipe { name: "even-plain", restructure: EVEN, map: "dch -f; map {D}" },
    Recipe { name: "shallow", restructure: SHALLOW, map: "dch -f; map -B 0.9 {D}" },
    Recipe { name: "shallow-plain", restructure: SHALLOW, map: "dch -f; map {D}" },
    Recipe { name: "flat", restructure: FLAT, map: "dch -f; map -B 0.9 {D}" },
];

/// For netlists so large that each try takes minutes: one for area, one for depth.
pub const FEW: &[Recipe] = &[RECIPES[0], RECIPES[2]];

/// For a `grid` in logic: rewriting for area. What rewrites for depth reads the words of all layers
/// and chooses among them last, so that all of them switch: fashion_lenet5's of 24 patterns and 16 columns
/// took 6.1 pJ a MAC on sky130 when one of those was the smallest, and takes 5.2 (docs/energy.md).
pub const AREA: &[Recipe] = &[RECIPES[0], RECIPES[1]];

/// For netlists whose size is of no account, as in most tests: one that meets most periods.
pub const ANY: &[Recipe] = &[RECIPES[1]];

/// The recipes and delay targets in ps to try. ABC sees the logic between adder
/// cells only, and no wires, so its targets are parts of the period.
pub(super) fn points(recipes: &[Recipe], period: f64) -> Vec<(Recipe, u32)> {
    let mut points = Vec::new();
    for recipe in recipes {
        for percent in [60.0, 90.0] {
            // A period is a few ns to a few hundred: far inside u32 in ps.
            points.push((*recipe, (period * 1000.0 * percent / 100.0).clamp(1.0, 1e9) as u32));
        }
    }
    points
}

impl Recipe {
    /// The ABC script for a delay target in ps.
    pub fn script(&self, target: u32) -> String {
        format!("{}; {}; {SIZE}\n", self.restructure, self.map).replace("{D}", &format!("-D {target}"))
    }
}
