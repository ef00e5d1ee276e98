//! Shifters that keep a window of their result and say what fell out of it.

use crate::circuit::{Circuit, Value, concat, literal, vector};

/// The upper bits of a shifted value, and whether a set bit is below them.
pub(super) struct Window {
    pub bits: Value,
    pub lost: Value,
}

/// The top `kept` bits of `value << places`, in nets that begin with `name`.
///
/// One stage a bit of `places`, the greatest first, each no wider than what the
/// later ones can still bring into the window.
pub(super) fn left_window(c: &mut Circuit, name: &str, value: &Value, places: &Value, kept: u32) -> Window {
    let mut current = value.clone();
    let mut lost = Vec::new();
    for stage in (0..places.width()).rev() {
        let by = 1 << stage;
        let wanted = kept + by - 1;
        let moved = places.bit(stage);
        // Zeros below, so that both choices reach as far down as needed.
        let reach = wanted + by;
        let padded = if current.width() < reach { current.above(reach - current.width()) } else { current };
        let (width, kept_bits) = (padded.width(), padded.slice(padded.width() - wanted, wanted));
        let shifted = padded.slice(width - wanted - by, wanted);
        let next =
            c.choose(&format!("{name}_by_{by}"), &[(&moved, &shifted)], &kept_bits, "after this stage of the shift");
        let stays = padded.slice(0, width - wanted);
        let below = (width > wanted + by).then(|| padded.slice(0, width - wanted - by).any());
        let dropped = match below {
            None => stays.any() & !&moved,
            Some(below) => {
                let name = format!("{name}_drop_{by}");
                let stays = c.net(&format!("{name}_stay"), stays.any(), "what this stage drops if it does not shift");
                let below = c.net(&format!("{name}_move"), below, "what this stage drops if it shifts");
                c.choose(&name, &[(&moved, &below)], &stays, "what this stage drops")
            }
        };
        lost.push(c.net(&format!("{name}_lost_{by}"), dropped, "a set bit was dropped by this stage"));
        current = next;
    }
    let lost = c.net(&format!("{name}_lost"), vector(&lost).any(), "a set bit is below the window");
    Window { bits: current, lost }
}

/// `value >> places` in as many bits, in nets that begin with `name`.
pub(super) fn right_window(c: &mut Circuit, name: &str, value: &Value, places: &Value) -> Window {
    let width = value.width();
    let mut current = value.clone();
    let mut lost = Vec::new();
    for stage in (0..places.width()).rev() {
        let by = 1 << stage;
        let moved = places.bit(stage);
        let (shifted, falls) = if by < width {
            (concat(&[&literal(0, by), &current.slice(by, width - by)]), current.slice(0, by))
        } else {
            (literal(0, width), current.clone())
        };
        lost.push(c.net(&format!("{name}_lost_{by}"), falls.any() & &moved, "a set bit was dropped by this stage"));
        current =
            c.choose(&format!("{name}_by_{by}"), &[(&moved, &shifted)], &current, "after this stage of the shift");
    }
    let lost = c.net(&format!("{name}_lost"), vector(&lost).any(), "a set bit fell off");
    Window { bits: current, lost }
}

/// `value << places`, what leaves at the top being zero.
pub(super) fn left_shift(c: &mut Circuit, value: &Value, places: &Value) -> Value {
    let width = value.width();
    let mut current = value.clone();
    for stage in (0..places.width()).rev() {
        let by = 1 << stage;
        let shifted = if by < width { current.slice(0, width - by).above(by) } else { literal(0, width) };
        let name = format!("left_by_{by}");
        current = c.choose(&name, &[(&places.bit(stage), &shifted)], &current, "after this stage of the left shift");
    }
    current
}
