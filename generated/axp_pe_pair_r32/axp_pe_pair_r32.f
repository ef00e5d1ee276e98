// axp_pe_pair_r32: all modules in compile order. Names are relative to this file:
// verilator -F <this file>, or iverilog -c <this file> in this folder.
axp_clock_gate.v
axp_row_storage_w32.v
axp_reg_arst_w1.v
axp_am_row_arst_w32.v
axp_priority_n32.v
axp_pair_am_arst_r32.v
axp_gated_operands_w32.v
axp_gated_reg_w32.v
axp_mul_w24_h26.v
axp_leading_zeros_w32.v
axp_shift_right_w27.v
axp_fp_round.v
axp_fp_mul.v
axp_fp_add.v
axp_reg_arst_w32.v
axp_output_buffer_arst_w32.v
axp_pe_pair_r32.v
