// axp_pe_pair_r128_sync: all modules in compile order. Names are relative to this file:
// verilator -F <this file>, or iverilog -c <this file> in this folder.
axp_clock_gate.v
axp_row_storage_w32.v
axp_reg_srst_w1.v
axp_am_row_srst_w32.v
axp_priority_n128.v
axp_pair_am_srst_r128.v
axp_gated_operands_w32.v
axp_gated_reg_w32.v
axp_mul_w24_h26.v
axp_leading_zeros_w32.v
axp_shift_right_w27.v
axp_fp_round.v
axp_fp_mul.v
axp_fp_add.v
axp_reg_srst_w32.v
axp_output_buffer_srst_w32.v
axp_pe_pair_r128_sync.v
