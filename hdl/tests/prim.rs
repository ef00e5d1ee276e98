//! The primitives' behaviour in rust-hdl: what their hand-written Verilog must do too.

use axp_hdl::prim::{ClockGate, GatedOperands, GatedRegister, PrioritySelect, Register, RowStorage};
use axp_spec::ResetStyle;
use proptest::prelude::*;
use rust_hdl::prelude::*;

fn settle(block: &mut dyn Block) {
    for _ in 0..100 {
        block.update_all();
        if !block.has_changed() {
            return;
        }
    }
    panic!("the block does not settle");
}

/// One clock period with the inputs as they are: rise, then fall.
macro_rules! clock {
    ($block:ident) => {
        settle(&mut $block);
        for level in [true, false] {
            $block.clk_i.next = level.into();
            settle(&mut $block);
        }
    };
}

#[test]
fn a_register_keeps_loads_and_resets() {
    for reset in [ResetStyle::Async, ResetStyle::Sync] {
        let mut register = Register::<Bits<8>>::new(reset);
        register.rst_ni.next = true;
        register.en_i.next = true;
        register.d_i.next = 5.into();
        settle(&mut register);
        assert_eq!(register.q_o.val(), 0, "nothing is loaded before the edge");
        clock!(register);
        assert_eq!(register.q_o.val(), 5);
        register.en_i.next = false;
        register.d_i.next = 6.into();
        clock!(register);
        assert_eq!(register.q_o.val(), 5, "kept without the enable");
        register.rst_ni.next = false;
        settle(&mut register);
        let asynchronous = if reset == ResetStyle::Async { 0 } else { 5 };
        assert_eq!(register.q_o.val(), asynchronous, "{reset:?} before the edge");
        register.en_i.next = true;
        clock!(register);
        assert_eq!(register.q_o.val(), 0, "reset is stronger than the enable");
    }
}

#[test]
fn gated_banks_load_all_lanes_with_the_enable_alone() {
    let mut one = GatedRegister::<8>::new();
    let mut two = GatedOperands::<8>::new();
    let mut row = RowStorage::<8>::new();
    for (enable, value, kept) in [(true, 1u64, 1u64), (false, 2, 1), (true, 3, 3)] {
        one.en_i.next = enable;
        one.d_i.next = value.into();
        clock!(one);
        assert_eq!(one.q_o.val(), kept);

        two.en_i.next = enable;
        two.weight_i.next = value.into();
        two.activation_i.next = (value + 10).into();
        clock!(two);
        assert_eq!((two.weight_o.val().to_u64(), two.activation_o.val().to_u64()), (kept, kept + 10));

        row.en_i.next = enable;
        row.key_weight_i.next = value.into();
        row.key_activation_i.next = (value + 10).into();
        row.care_weight_i.next = (value + 20).into();
        row.care_activation_i.next = (value + 30).into();
        row.product_i.next = (value + 40).into();
        clock!(row);
        assert_eq!((row.key_weight_o.val().to_u64(), row.key_activation_o.val().to_u64()), (kept, kept + 10));
        assert_eq!((row.care_weight_o.val().to_u64(), row.care_activation_o.val().to_u64()), (kept + 20, kept + 30));
        assert_eq!(row.product_o.val().to_u64(), kept + 40);
    }
}

#[test]
fn the_clock_gate_passes_whole_pulses_only() {
    let mut gate = ClockGate::new();
    let mut pulse = |enable: bool, test: bool, late: bool| {
        gate.en_i.next = enable;
        gate.test_en_i.next = test;
        settle(&mut gate);
        gate.clk_i.next = true.into();
        settle(&mut gate);
        let high = gate.clk_o.val().clk;
        // A change of the enable while the clock is high must not show.
        gate.en_i.next = late;
        settle(&mut gate);
        assert_eq!(gate.clk_o.val().clk, high, "the pulse was cut or begun late");
        gate.clk_i.next = false.into();
        settle(&mut gate);
        assert!(!gate.clk_o.val().clk);
        high
    };
    assert!(pulse(true, false, false));
    assert!(!pulse(false, false, true));
    assert!(pulse(false, true, false));
    assert!(!pulse(false, false, false));
}

fn lowest<const N: usize>(bits: &[bool]) -> Option<usize> {
    let mut select = PrioritySelect::<N>::new();
    let requests = bits.iter().take(N).enumerate().fold(Bits::default(), |all, (i, bit)| all.replace_bit(i, *bit));
    select.match_i.next = requests;
    settle(&mut select);
    let chosen: Vec<usize> = (0..N).filter(|i| select.select_o.val().get_bit(*i)).collect();
    assert!(chosen.len() <= 1, "{chosen:?} are selected together");
    chosen.first().copied()
}

proptest! {
    #[test]
    fn the_lowest_request_is_selected(bits in prop::collection::vec(prop::bool::weighted(0.1), 128)) {
        prop_assert_eq!(lowest::<2>(&bits), bits[..2].iter().position(|bit| *bit));
        prop_assert_eq!(lowest::<32>(&bits), bits[..32].iter().position(|bit| *bit));
        prop_assert_eq!(lowest::<128>(&bits), bits.iter().position(|bit| *bit));
    }

}
